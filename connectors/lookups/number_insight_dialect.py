"""What Vonage Number Insight (advanced) is asked, and what its answer says; every answer comes with HTTP 200."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Ported
from ringfence.core.numbers import LineType, Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .exchange import Exchange, Reply, Request
from .http_lookup import HttpLookup, threads_for
from .provider_settings import reveal
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .vonage_number_insight_settings import NAME, PROFILE, NumberInsightSettings
from .words import Words, as_money, as_text

_PATH = "/ni/advanced/json"

REFUSED = {
    1: Outcome.RATE_LIMITED,
    3: Outcome.BAD_REQUEST,
    4: Outcome.AUTH_FAILED,
    5: Outcome.BAD_REQUEST,
    9: Outcome.OUT_OF_CREDIT,
    19: Outcome.NOT_PERMITTED,
    999: Outcome.BAD_REQUEST,
}
"""Status codes that refuse the request (the official description, advanced lookup)."""

PARTIAL = frozenset({43, 44, 45})
"""The live lookup of the mobile did not come; the rest did."""

VALIDITY = {
    "valid": (Validity.VALID, Evidence.LIVE_NETWORK),
    "not_valid": (Validity.INVALID, Evidence.LIVE_NETWORK),
    "inferred": (Validity.VALID, Evidence.ROUTING_DB),
    "inferred_not_valid": (Validity.POSSIBLE, Evidence.ROUTING_DB),
    "unknown": (Validity.UNKNOWN, Evidence.ROUTING_DB),
}

REACHABLE = {
    "reachable": (Validity.VALID, LineState.ACTIVE),
    "absent": (Validity.VALID, LineState.UNREACHABLE),
    "undeliverable": (Validity.VALID, LineState.UNREACHABLE),
    "bad_number": (Validity.INVALID, LineState.DISCONNECTED),
    "blacklisted": (Validity.UNKNOWN, LineState.UNKNOWN),  # the provider blocks it; no opt-out of the person
    "unknown": (Validity.UNKNOWN, LineState.UNKNOWN),
}

NETWORK_TYPES = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "landline_premium": LineType.PREMIUM,
    "landline_tollfree": LineType.TOLL_FREE,
    "virtual": LineType.VOIP,
    "pager": LineType.PAGER,
    "unknown": LineType.UNKNOWN,
}

PORTED = {
    "ported": Ported.YES,
    "not_ported": Ported.NO,
    "assumed_ported": Ported.ASSUMED_YES,
    "assumed_not_ported": Ported.ASSUMED_NO,
    "unknown": Ported.UNKNOWN,
}

CURRENCY = "EUR"
"""That of the prices in its answers, whatever the account pays in."""

_UNTOLD = (Validity.UNKNOWN, LineState.UNKNOWN)


def connect(settings: NumberInsightSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    key, secret = reveal(settings.api_key, settings.api_secret)
    threads = threads_for(settings.pace)
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        account=key,
        auth=(key, secret),
        pace=settings.pace,
        connections=threads,
    )
    return HttpLookup(PROFILE, exchange, NumberInsightDialect(), services, price=settings.price, threads=threads)


class NumberInsightDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`."""

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number."""
        return Request("GET", _PATH, params={"number": numbers[0].lstrip("+")})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says, by the status in its body."""
        status = reply.mapping.get("status")
        if isinstance(status, str) and status.isdecimal() and len(status) < 10:
            status = int(status)
        if not isinstance(status, int) or status == reply.status:  # the latter is a problem that the gateway tells
            return None if reply.is_html or reply.status == 200 else refusal_by_status(reply)
        if status in REFUSED:
            return Refusal(REFUSED[status], f"status {status}")
        if status != 0 and status not in PARTIAL:
            return Refusal(Outcome.PROVIDER_ERROR, f"status {status}", paid=True)
        return {numbers[0]: read_body(reply.mapping, partial=status in PARTIAL)}


def read_body(body: Mapping[str, Any], *, partial: bool) -> Reading:
    """Return what a good answer says; ``partial`` where the live lookup did not come."""
    words = Words()
    validity, evidence = words.read(
        "validity", body.get("valid_number"), VALIDITY, (Validity.UNKNOWN, Evidence.ROUTING_DB)
    )
    by_line, line = words.read("line_state", None if partial else body.get("reachable"), REACHABLE, _UNTOLD)
    if line is not LineState.UNKNOWN:
        validity, evidence = by_line, Evidence.LIVE_NETWORK

    current, original = _mapping(body.get("current_carrier")), _mapping(body.get("original_carrier"))
    network = as_text(current.get("network_code"))
    carrier = Carrier(
        as_text(current.get("name")),
        network[:3],
        network[3:],
        as_text(original.get("name")),
        as_text(original.get("network_code")),
    )
    return Reading(
        Outcome.PARTIAL if partial or body.get("lookup_outcome") in (1, 2) else Outcome.OK,
        as_text(body.get("reachable") or body.get("valid_number")),
        validity,
        line,
        evidence,
        line_type=words.read("line_type", current.get("network_type"), NETWORK_TYPES, LineType.UNKNOWN),
        carrier=carrier if any(carrier) else None,
        ported=words.read("ported", body.get("ported"), PORTED, Ported.UNKNOWN),
        cost=as_money(body.get("request_price")),
        currency=CURRENCY,
        product="Number Insight advanced",
        unrecognised=tuple(words.unrecognised),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
