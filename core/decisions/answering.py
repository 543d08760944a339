"""When newer evidence answers what a person was asked about a line. Everything here is pure."""

from __future__ import annotations

from datetime import datetime

from ..model.answers import Answer, AnswerKind
from ..model.axes import LineState
from ..model.review_items import ReviewReason
from ..model.signs import NumberSign, Sign, SourceKind
from .weighing import CONTRADICTORY_WITHIN, is_live

_CERTAIN = (LineState.ACTIVE, LineState.DISCONNECTED)


def answers_by_sign(reason: ReviewReason, since: datetime, sign: NumberSign, shown: Sign) -> bool:
    """Return whether a sign that shows so much of the line answers what has been asked ``since`` for that reason.

    A person's decision answers every question about a line. Of what calls and messages show, whatever is heard at all
    ends a silence, and only a line that lives answers a suspicion, or answers of lookups that contradict each other.
    """
    if sign.kind is SourceKind.PERSON:
        return sign.occurred_at >= since
    if sign.occurred_at <= since:
        return False
    if reason is ReviewReason.SILENT:
        return True
    if reason is ReviewReason.SUSPECT:
        return shown in (Sign.ALIVE, Sign.EXISTS)
    return reason is ReviewReason.CONFLICT and shown is Sign.ALIVE


def answers_by_lookup(reason: ReviewReason, since: datetime, answer: Answer) -> bool:
    """Return whether a live answer of a lookup answers what has been asked ``since`` for that reason.

    A contradiction is settled by an answer that comes late enough to contradict neither side of it.
    """
    if answer.kind is not AnswerKind.KNOWN or answer.line is None or not is_live(answer):
        return False
    if reason is ReviewReason.CONFLICT:
        return answer.line in _CERTAIN and answer.observed_at > since + CONTRADICTORY_WITHIN
    if reason is ReviewReason.SUSPECT:
        return answer.line != LineState.UNREACHABLE and answer.observed_at > since
    return reason is ReviewReason.SILENT and answer.observed_at > since
