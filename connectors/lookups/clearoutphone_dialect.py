"""What ClearoutPhone is asked about one number, and what its answers and refusals say.

It claims no look at the line: valid means that the number fits the plan and a carrier has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.answers import OWN_CURRENCY
from ringfence.core.model.axes import Carrier, Evidence, Outcome
from ringfence.core.numbers import LineType, Validity, mask_numbers

from .exchange import Exchange, Reply, Request
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .words import LONGEST_RAW, Words, as_money, as_text, digits_of

PATH = "/phonenumber/validate"
CREDITS_PATH = "/phonenumber/getcredits"

ANSWER_MS = 20_000
"""How long it may take over a number: less than we wait, so that its own word about that comes first."""

TIMED_OUT = 524
TELLING_DIGITS = 7
"""Digits at the end that tell a number from others, whatever a plan puts before them."""

VALIDITIES = {"valid": Validity.VALID, "invalid": Validity.INVALID, "unknown": Validity.UNKNOWN}

LINE_TYPES = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "voip": LineType.VOIP,
    "toll-free": LineType.TOLL_FREE,
    "toll_free": LineType.TOLL_FREE,
    "toll free": LineType.TOLL_FREE,
    "tollfree": LineType.TOLL_FREE,
    "unknown": LineType.UNKNOWN,
    "n/a": LineType.UNKNOWN,
}
"""The four types that it names, as various accounts see them spelt, and two words for none."""


class ClearoutPhoneDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`. ``price`` is that of one credit."""

    def __init__(self, price: float) -> None:
        self._price = price

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number; in E.164 it needs no country beside it."""
        return Request("POST", PATH, json={"number": numbers[0], "timeout": ANSWER_MS})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says; one about another number, or without a word about it, says nothing."""
        if (refusal := read_refusal(reply)) is not None:
            return refusal
        data = reply.mapping.get("data")
        if reply.status != 200 or not isinstance(data, dict) or "status" not in data:
            return None

        is_another = _ending(data.get("e164_format")) not in ("", _ending(numbers[0]))
        if is_another or not as_text(data["status"]).strip():
            return {}
        credits_taken = as_money(data.get("billable_credits"))
        cost = None if credits_taken is None or not self._price else round(credits_taken * self._price, 6)
        reading = read_words(
            data["status"], data.get("line_type"), data.get("carrier"), paid=credits_taken != 0, cost=cost
        )
        return {numbers[0]: reading}


def read_words(said: Any, line_type: Any, carrier: Any, *, paid: bool = True, cost: float | None = None) -> Reading:
    """Return what ClearoutPhone's words about a number say, from an answer or from a file of them."""
    words = Words()
    validity = words.read("validity", said, VALIDITIES, Validity.UNKNOWN)
    kind = words.read("line_type", line_type, LINE_TYPES, LineType.UNKNOWN)
    name = as_text(carrier).strip()

    return Reading(
        Outcome.OK,
        mask_numbers(as_text(said).strip())[:LONGEST_RAW],
        validity,
        evidence=Evidence.VENDOR_ASSERTED,
        line_type=kind,
        carrier=Carrier(name) if name else None,
        paid=paid,
        cost=cost,
        currency="" if cost is None else OWN_CURRENCY,
        product="validation",
        unrecognised=tuple(words.unrecognised),
    )


def read_refusal(reply: Reply) -> Refusal | None:
    """Return why a request was refused; None for a good answer, and for one that is not ClearoutPhone's."""
    if reply.is_html:
        return refusal_by_status(reply) if reply.status == 429 else None
    code = f"HTTP {reply.status}" + _reason(reply.mapping.get("error"))
    if reply.status == TIMED_OUT:
        return Refusal(Outcome.TIMEOUT, code, paid=True)
    if reply.status == 200:
        is_refused = bool(reply.mapping.get("error")) and not reply.mapping.get("data")
        return Refusal(Outcome.PROVIDER_ERROR, code, paid=True) if is_refused else None

    by_status = refusal_by_status(reply)
    return None if by_status is None else Refusal(by_status.outcome, code, by_status.paid)


def check_credits(exchange: Exchange) -> Refusal | None:
    """Return why the account cannot be used, from the free question for its credits; None where it can.

    Raises UnreachableError where somebody else answers.
    """
    reply = exchange.send(Request("GET", CREDITS_PATH))
    if (refusal := read_refusal(reply)) is not None:
        return refusal
    data = reply.mapping.get("data")
    if reply.status != 200 or not isinstance(data, dict):
        raise exchange.somebody_else(reply.status)

    left = data.get("available_credits")
    is_empty = isinstance(left, (int, float)) and not isinstance(left, bool) and left <= 0
    return Refusal(Outcome.OUT_OF_CREDIT, "no credits left") if is_empty else None


def _reason(error: Any) -> str:
    """Return the words of an error behind a colon, without numbers; empty for none."""
    if not isinstance(error, dict):
        return ""
    reasons = error.get("reasons")
    messages = [
        message
        for reason in (reasons if isinstance(reasons, list) else [])
        if isinstance(reason, dict)
        for message in (reason["messages"] if isinstance(reason.get("messages"), list) else [])
    ]
    said = "; ".join(as_text(message) for message in messages) or as_text(error.get("message"))
    return f": {mask_numbers(said)[:LONGEST_RAW]}" if said else ""


def _ending(number: Any) -> str:
    return digits_of(as_text(number))[-TELLING_DIGITS:]
