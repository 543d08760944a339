"""What Bandwidth is asked about some numbers, and what its results and errors say, number by number.

A number that nobody has comes as an error inside of a good answer. A deactivation is what a carrier has reported, with
its day: the number may have been given to somebody else since, so the day is kept for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome
from ringfence.core.numbers import LineType, Validity

from .bandwidth_settings import PROFILE
from .exchange import Reply, Request
from .joining import Numbers
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .words import Words, as_text, fold

LINE_TYPES = {
    "fixed": LineType.LANDLINE,
    "voip-fixed": LineType.VOIP_FIXED,
    "mobile": LineType.MOBILE,
    "voip": LineType.VOIP,
}
DEACTIVATED = "deactivated"
EVENTS = {DEACTIVATED: True}
DELIVERIES = {"active": "active", DEACTIVATED: DEACTIVATED, "unknown": "", "not_enabled": ""}
NO_MATCH = "1001"
"""Nobody has been given this number."""


class BandwidthDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`. ``path`` is that of the account's lookups."""

    def __init__(self, path: str) -> None:
        self._path = path

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about up to 100 numbers."""
        return Request("POST", self._path, json={"phoneNumbers": list(numbers)})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the results say, and the errors about single numbers."""
        if reply.status != 200:
            return None if reply.is_html else refusal_by_status(reply)
        return read_numbers(numbers, reply.mapping)


def read_numbers(numbers: Sequence[str], body: Mapping[str, Any]) -> dict[str, Reading] | None:
    """Return what a body says by number; None where it is not Bandwidth's."""
    data = body.get("data")
    results = data.get("results") if isinstance(data, dict) else None
    errors = body.get("errors")
    if not isinstance(results, list) and not isinstance(errors, list):
        return None

    asked = Numbers(PROFILE.title, numbers)
    items = results if isinstance(results, list) else []
    found = {number: read_result(item) for number, item in asked.join(items, "phoneNumber").items()}
    for error in errors if isinstance(errors, list) else []:
        for raw in numbers_of(error):
            if (number := asked.find(raw)) is not None:
                found.setdefault(number, read_error(error))
    return found


def numbers_of(error: Any) -> list[Any]:
    """Return the numbers that an error is about, as they stand there."""
    meta = error.get("meta") if isinstance(error, dict) else None
    raw = meta.get("phoneNumbers") if isinstance(meta, dict) else None
    return raw if isinstance(raw, list) else []


def read_error(error: Mapping[str, Any]) -> Reading:
    """Return what an error about one number says; but for a number that nobody has it is a passing fault."""
    code = as_text(error.get("code")) or as_text(error.get("type"))
    if code == NO_MATCH or fold(error.get("type")) == "no-match":
        return Reading(Outcome.OK, code, Validity.INVALID, evidence=Evidence.ROUTING_DB, product="lookup")
    return Reading(Outcome.PROVIDER_ERROR, code[:60], product="lookup")


def read_result(result: Mapping[str, Any]) -> Reading:
    """Return what one result says. Where a carrier and a delivery disagree the later of them counts."""
    words = Words()
    line_type = words.read("line_type", result.get("lineType"), LINE_TYPES, LineType.UNKNOWN)
    switched_off = words.read("line_state", result.get("deactivationEvent"), EVENTS, False)
    delivery = words.read("line_state", result.get("latestMessageDeliveryStatus"), DELIVERIES, "")
    off_since = _day(result.get("deactivationDate"))
    delivered = _day(result.get("latestMessageDeliveryStatusDate"))

    line, evidence, code = LineState.UNKNOWN, Evidence.ROUTING_DB, ""
    if delivery == "active" and (not switched_off or (off_since and delivered > off_since)):
        line, evidence, code = LineState.ACTIVE, Evidence.DELIVERY_RECEIPT, f"ACTIVE {delivered}"
    elif switched_off:
        line, evidence, code = LineState.DISCONNECTED, Evidence.CARRIER_FEED, f"DEACTIVATED {off_since}"
    elif delivery == DEACTIVATED:
        line, evidence, code = LineState.DISCONNECTED, Evidence.CARRIER_FEED, f"DEACTIVATED {delivered}"

    carrier = as_text(result.get("voiceProvider")) or as_text(result.get("messagingProvider"))
    return Reading(
        Outcome.OK,
        code.strip() or as_text(result.get("latestMessageDeliveryStatus"))[:60],
        Validity.VALID,
        line,
        evidence,
        line_type,
        carrier=Carrier(carrier) if carrier else None,
        product="lookup",
        unrecognised=tuple(words.unrecognised),
    )


def _day(raw: Any) -> str:
    """Return the day of a moment in ISO 8601, which sorts as text; empty for none."""
    return as_text(raw)[:10]
