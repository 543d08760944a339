"""What HLR Lookups is asked about a mobile number, and what its answer says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .exchange import Exchange, Reply, Request
from .free_checks import check_by_get
from .hlr_lookups_settings import NAME, PROFILE, HlrLookupsSettings
from .http_lookup import HttpLookup, threads_for
from .provider_settings import reveal
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .words import Words, as_money, as_text, digits_of, ported_of

_ROOT = "/api/v2"
_PATH = f"{_ROOT}/hlr-lookup"
_CHECK = check_by_get(f"{_ROOT}/auth-test")

STATES = {
    "connected": (Validity.VALID, LineState.ACTIVE),
    "absent": (Validity.VALID, LineState.UNREACHABLE),
    "invalid_msisdn": (Validity.INVALID, LineState.DISCONNECTED),
    "undetermined": (Validity.UNKNOWN, LineState.UNKNOWN),
}
"""Connectivity status -> what it says of the number and of its line."""

_UNDETERMINED = STATES["undetermined"]


def connect(settings: HlrLookupsSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    key, secret = reveal(settings.api_key, settings.api_secret)
    threads = threads_for(settings.pace)
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        # Their other way, a signature under each request, is told in examples that disagree on what is signed.
        headers={"X-Basic": hashlib.sha256(f"{key}:{secret}".encode()).hexdigest()},
        pace=settings.pace,
        connections=threads,
    )
    dialect = HlrDialect(settings.currency or "")
    return HttpLookup(PROFILE, exchange, dialect, services, price=settings.price, threads=threads, free_check=_CHECK)


class HlrDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`; ``currency`` is that of the account's costs."""

    def __init__(self, currency: str = "") -> None:
        self._currency = currency

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number."""
        return Request("POST", _PATH, json={"msisdn": numbers[0]})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says; one about another number says nothing of this one."""
        if reply.status not in (200, 201):
            return None if reply.is_html else refusal_by_status(reply)
        body = reply.mapping
        if "connectivity_status" not in body and "processing_status" not in body:
            return None
        if "msisdn" in body and digits_of(body["msisdn"]) != digits_of(numbers[0]):
            return {}
        return {numbers[0]: read_body(body, self._currency)}


def read_body(body: Mapping[str, Any], currency: str = "") -> Reading:
    """Return what the answer about one number says; its cost is in ``currency``, which it does not name."""
    words = Words()
    said = as_text(body.get("connectivity_status"))
    validity, line = words.read("line_state", said, STATES, _UNDETERMINED)

    mccmnc = as_text(body.get("mccmnc"))
    mcc, mnc = as_text(body.get("mcc")) or mccmnc[:3], as_text(body.get("mnc")) or mccmnc[3:]
    original = as_text(body.get("original_network_name"))
    carrier = Carrier(as_text(body.get("ported_network_name")) or original, mcc, mnc, original)
    failed = as_text(body.get("processing_status")).upper() in ("FAILED", "REJECTED")
    return Reading(
        Outcome.PARTIAL if failed else Outcome.OK,
        said or as_text(body.get("processing_status")),
        validity,
        line,
        Evidence.LIVE_NETWORK,
        carrier=carrier if any(carrier) else None,
        ported=ported_of(body.get("is_ported")),
        cost=as_money(body.get("cost")),
        currency=currency,
        product="HLR",
        unrecognised=tuple(words.unrecognised),
    )
