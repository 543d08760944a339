"""What the signs of a number mean for its verdict, and for the slots that hold it. Everything here is pure.

A state of the line that calls and messages show is an answer among those of providers, with its own moment. A
suspicion stands behind every certain state of the line, and is answered by whatever live lookup comes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..model.answers import Answer, AnswerKind
from ..model.evidence_rules import EvidenceRules
from ..model.record_view import RecordView, text
from ..model.shapes import Slot
from ..model.signs import History, LineFinding, NumberSign
from ..model.values import Companion
from ..model.verdicts import STATUS_OF_LINE, Status
from ..numbers import Validity
from .fusion import fuse
from .weighing import FROM_HISTORY, is_live

_CERTAIN = {status.value: status for status in STATUS_OF_LINE.values()}
_WORSE = (Status.DISCONNECTED, Status.SUSPENDED, Status.UNREACHABLE)
_NOT_OURS = (Status.DO_NOT_CONTACT, Status.WRONG_PERSON, Status.INVALID)


def read_history(signs: Sequence[NumberSign], rules: EvidenceRules, answer: Answer | None) -> History:
    """Return what the signs of a number amount to beside the latest answer of a provider; None: there is none."""
    is_told = answer is not None and answer.kind is AnswerKind.KNOWN and answer.line is not None
    looked_up_at = answer.observed_at if answer is not None and is_told and _is_lookup(answer) else None
    return fuse(signs, rules, looked_up_at)


def _is_lookup(answer: Answer) -> bool:
    """Return whether an answer is of a lookup that saw the line; what a CRM keeps of one has no evidence any more."""
    return answer.evidence is None or is_live(answer)


def as_answers(number: str, history: History, since: datetime) -> list[tuple[str, Answer]]:
    """Return the states of the line that were shown ``since`` then, as answers with who gave each."""
    return [(finding.source, _as_answer(number, finding)) for finding in history.lines if finding.observed_at >= since]


def _as_answer(number: str, finding: LineFinding) -> Answer:
    return Answer(
        number,
        AnswerKind.KNOWN,
        finding.observed_at,
        validity=Validity.VALID,
        line=finding.line.value,
        evidence=finding.evidence,
        code=finding.said,
        product=FROM_HISTORY,
        paid=False,
    )


def speaks_otherwise(
    view: RecordView,
    slot: Slot,
    signs: Sequence[NumberSign],
    rules: EvidenceRules,
    now: datetime,
    max_age: timedelta,
    *,
    may_look_up: bool = False,
) -> bool:
    """Return whether a slot's verdict says something else than the signs of its number make of it.

    ``now`` is aware; what was shown longer ago than ``max_age`` counts no more. Where a lookup may answer a suspicion
    (``may_look_up``), it is due for as long as none has.
    """
    status, last = text(view.held(slot, Companion.STATUS)), view.held(slot, Companion.LAST_SCREENED)
    if not isinstance(last, datetime) or status in _NOT_OURS:
        return False

    # A certain state of the line answers all that was shown before it; any other verdict answers nothing.
    seen = last if status in _CERTAIN else None
    history = fuse(signs, rules, seen)
    if status == Status.SUSPECT:
        return may_look_up or history.suspicion is None or history.suspicion.since != last
    if history.suspicion is not None and status not in _WORSE:
        return True
    shown = [each for each in history.lines if each.observed_at >= now - max_age]
    newest = max(shown, key=lambda each: each.observed_at, default=None)
    if newest is None or (seen is not None and newest.observed_at <= seen):
        return False
    return STATUS_OF_LINE[newest.line] != status
