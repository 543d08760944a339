"""What a slot's companions keep of an earlier lookup, and when that outlives a new one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..model.answers import AnswerKind
from ..model.axes import LineState, Reassigned, Reassignment
from ..model.reasons import parse_reason
from ..model.record_view import RecordView, text
from ..model.shapes import Slot
from ..model.values import Companion
from ..model.verdicts import STATUS_OF_LINE, Facts, Status, Verdict, judge
from ..numbers import ReasonCode, Validity

_LINE_OF_STATUS = {status.value: line for line, status in STATUS_OF_LINE.items()}


class EarlierAnswer(NamedTuple):
    """A provider's answer, as far as status and reason of a slot keep it: ``kind`` is KNOWN, INCONCLUSIVE or LOST.

    ``provider`` is the provider's name, empty where the reason does not tell it.
    """

    kind: AnswerKind
    validity: Validity
    line: LineState | None
    provider: str
    reassigned: Reassignment | None = None


def read_earlier_answer(view: RecordView, slot: Slot) -> EarlierAnswer | None:
    """Return what a provider answered about the slot before; None where its verdict rests on no answer."""
    status = text(view.held(slot, Companion.STATUS))
    reason = parse_reason(text(view.held(slot, Companion.REASON)))
    code, provider = (reason.code, reason.provider) if reason else (None, "")

    if line := _LINE_OF_STATUS.get(status):
        return EarlierAnswer(AnswerKind.KNOWN, Validity.VALID, line, provider)
    if status == Status.WRONG_PERSON and reason and code is ReasonCode.REASSIGNED and reason.since:
        gone = Reassignment(Reassigned.YES, reason.since)
        return EarlierAnswer(AnswerKind.KNOWN, Validity.VALID, None, provider, gone)
    if status == Status.INVALID and code is ReasonCode.PROVIDER_INVALID:
        return EarlierAnswer(AnswerKind.KNOWN, Validity.INVALID, None, provider)
    if status == Status.VALID and reason and code is ReasonCode.INCONCLUSIVE:
        kind = AnswerKind.LOST if reason.is_answer_lost else AnswerKind.INCONCLUSIVE
        return EarlierAnswer(kind, Validity.VALID, None, provider)
    return None


def judge_again(view: RecordView, slot: Slot, facts: Facts) -> Verdict:
    """Return the verdict on a slot, and keep the previous one when a new lookup was inconclusive.

    An inconclusive lookup is a fact about the lookup: it never overwrites an earlier fact about the number
    (contract.md, section 1). A verdict that is kept keeps the time of its own evidence too, so that the slot stays due.
    """
    verdict = judge(facts)
    if facts.code is not ReasonCode.INCONCLUSIVE:
        return verdict
    if not view.is_current(slot) or view.held(slot, Companion.E164) != facts.number.e164:
        return verdict

    earlier = read_earlier_answer(view, slot)
    if earlier is None:
        return verdict
    line_type = text(view.held(slot, Companion.LINE_TYPE))
    last = view.held(slot, Companion.LAST_SCREENED)
    if earlier.kind is AnswerKind.KNOWN and isinstance(last, datetime):
        status, reason = text(view.held(slot, Companion.STATUS)), text(view.held(slot, Companion.REASON))
        return Verdict(Status(status), reason, facts.number.e164, line_type, last)
    if earlier.kind is not AnswerKind.KNOWN and facts.line_type is facts.number.line_type:
        return verdict._replace(line_type=line_type)
    return verdict
