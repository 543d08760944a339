"""What a provider's body says about one number, on separate axes, and the answer that it amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Ported, Reassigned, Reassignment, Risk
from ringfence.core.numbers import LineType, Validity

from .words import printable

_PASSING = frozenset({Outcome.RATE_LIMITED, Outcome.PROVIDER_ERROR, Outcome.TIMEOUT, Outcome.PENDING})
"""Outcomes that may be another one the next time."""

_OF_THE_ACCOUNT = frozenset({Outcome.OUT_OF_CREDIT, Outcome.AUTH_FAILED})
"""Outcomes that say no number can be answered: a provider raises an error for them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body says; see :class:`ringfence.core.model.answers.Answer` for the fields that both have.

    ``code`` is the provider's own word for it. A value that no table of the provider has reads as unknown and stands,
    as it came, in ``unrecognised``: (axis, raw value).
    """

    outcome: Outcome
    code: str = ""
    validity: Validity = Validity.UNKNOWN
    line: LineState = LineState.UNKNOWN
    evidence: Evidence | None = None
    line_type: LineType = LineType.UNKNOWN
    carrier: Carrier | None = None
    ported: Ported = Ported.UNKNOWN
    reassigned: Reassignment | None = None
    risk: Risk | None = None
    paid: bool = True
    cost: float | None = None
    currency: str = ""
    product: str = ""
    unrecognised: tuple[tuple[str, str], ...] = ()


def to_answer(e164: str, reading: Reading, now: datetime) -> Answer:
    """Return the answer that a reading amounts to; ``now`` is in whole seconds UTC.

    It is KNOWN where it tells the state of the line, that no such number exists, or that somebody else has it by now;
    FAILED where it may be another one the next time; else INCONCLUSIVE. Raises ValueError for what is true of the
    account and not of the number.
    """
    if reading.outcome in _OF_THE_ACCOUNT:
        raise ValueError(f"{reading.outcome} is no answer about a number")

    return Answer(
        e164,
        _kind(reading),
        now,
        validity=reading.validity,
        line=None if reading.line is LineState.UNKNOWN else reading.line.value,
        line_type=None if reading.line_type is LineType.UNKNOWN else reading.line_type.value,
        code=printable(reading.code),
        paid=reading.paid,
        outcome=reading.outcome,
        evidence=reading.evidence,
        carrier=reading.carrier and Carrier(*map(printable, reading.carrier)),
        ported=reading.ported,
        reassigned=reading.reassigned,
        risk=reading.risk,
        product=reading.product,
        cost=reading.cost,
        currency=reading.currency,
        unrecognised=tuple((axis, printable(raw)) for axis, raw in reading.unrecognised),
    )


def _kind(reading: Reading) -> AnswerKind:
    if reading.outcome in _PASSING:
        return AnswerKind.FAILED
    if reading.reassigned is not None and reading.reassigned.answer is Reassigned.YES:
        return AnswerKind.KNOWN
    if reading.line is not LineState.UNKNOWN or reading.validity in (Validity.INVALID, Validity.POSSIBLE):
        return AnswerKind.KNOWN
    return AnswerKind.INCONCLUSIVE
