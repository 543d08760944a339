"""What Infobip's number lookup is asked, and what its results say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .exchange import Exchange, Reply, Request
from .free_checks import check_by_get
from .http_lookup import HttpLookup
from .infobip_settings import BATCH, NAME, PROFILE, InfobipSettings
from .joining import Numbers
from .provider_settings import reveal
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .words import Words, as_text, fold, ported_of


def connect(settings: InfobipSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    (key,) = reveal(settings.api_key)
    headers = {"Authorization": f"App {key}"}
    exchange = Exchange(NAME, PROFILE.title, settings.base_url, services, headers=headers, pace=settings.pace)
    return HttpLookup(
        PROFILE, exchange, InfobipDialect(), services, price=settings.price, size=BATCH, threads=4, free_check=_check
    )


class InfobipDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`."""

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about up to 1,000 numbers."""
        return Request("POST", "/number/1/query", json={"to": [number.lstrip("+") for number in numbers]})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what each result says, joined to the numbers by their digits."""
        if reply.status != 200:
            return None if reply.is_html else refusal_by_status(reply)
        results = reply.mapping.get("results")
        if not isinstance(results, list):
            return None

        joined = Numbers(PROFILE.title, numbers).join(results, "to")
        return {number: read_result(result) for number, result in joined.items()}


def read_result(result: Mapping[str, Any]) -> Reading:
    """Return what one result says: the group of its status, and whether an error is permanent."""
    status, error = _mapping(result, "status"), _mapping(result, "error")
    words = Words()
    group = words.read("line_state", status.get("groupName"), _GROUPS, "UNKNOWN")
    code = as_text(error.get("name") if group == "UNDELIVERABLE" and error else status.get("name"))

    network = _mapping(result, "portedNetwork") or _mapping(result, "originalNetwork")
    original = _mapping(result, "originalNetwork")
    mccmnc = as_text(result.get("mccMnc"))
    carrier = Carrier(as_text(network.get("networkName")), mccmnc[:3], mccmnc[3:], as_text(original.get("networkName")))
    common: dict[str, Any] = {
        "carrier": carrier if any(carrier) else None,
        "ported": ported_of(result.get("ported")),
        "evidence": Evidence.LIVE_NETWORK,
        "product": "number lookup",
        "unrecognised": tuple(words.unrecognised),
    }
    if group == "PENDING":
        return Reading(Outcome.PENDING, code, **common)
    if group == "DELIVERED":
        return Reading(Outcome.OK, code, Validity.VALID, LineState.ACTIVE, **common)
    if NO_CREDIT in fold(status.get("name")):
        return Reading(Outcome.OUT_OF_CREDIT, as_text(status.get("name")), paid=False)
    if group == "UNDELIVERABLE" and isinstance(error.get("permanent"), bool):
        line = LineState.DISCONNECTED if error["permanent"] else LineState.UNREACHABLE
        return Reading(Outcome.OK, code, Validity.VALID, line, **common)
    if group == "EXPIRED":
        return Reading(Outcome.OK, code, Validity.VALID, LineState.UNREACHABLE, **common)
    return Reading(Outcome.PARTIAL, code, **common)


NO_CREDIT = "not_enough_credits"
"""Part of the status of a number that was not asked about because the account is empty."""

_GROUPS = {
    "pending": "PENDING",
    "delivered": "DELIVERED",
    "undeliverable": "UNDELIVERABLE",
    "rejected": "UNDELIVERABLE",
    "expired": "EXPIRED",
    "ok": "DELIVERED",
}


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _check(exchange: Exchange) -> Refusal | None:
    refusal = check_by_get("/account/1/balance")(exchange)
    # A key that may look numbers up need not be one that may read the balance: it is known all the same.
    return None if refusal is not None and refusal.outcome is Outcome.NOT_PERMITTED else refusal
