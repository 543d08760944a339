"""When the answers about one number leave a doubt that a person has to settle. Everything here is pure.

Two kinds of it come from lookups: live answers that cannot all be true, and a line that nobody reaches however often
it is tried. Neither changes the number's status: the earlier verdict stands, or it stays unreachable.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ..model.answers import Answer, AnswerKind
from ..model.axes import LineState
from ..model.policy import UnreachableRule
from ..model.review_items import ReviewReason
from .weighing import age_of, contradict, is_live


class Told(NamedTuple):
    """What a provider, by its name, has told about a number."""

    source: str
    answer: Answer


class Doubt(NamedTuple):
    """What a person is asked: the reason, the evidence in one sentence, and since when it is so (UTC)."""

    reason: ReviewReason
    evidence: str
    since: datetime


def belongs_to_history(answer: Answer) -> bool:
    """Return whether an answer is live and tells the state of the line: of such ones every word is kept."""
    return answer.kind is AnswerKind.KNOWN and answer.line is not None and is_live(answer)


def find_doubt(latest: Told, history: Sequence[Told], rule: UnreachableRule) -> Doubt | None:
    """Return the doubt that the latest answer about a number raises; None where it raises none.

    ``history`` holds live answers about the same number, the latest one among them or not, in any order.
    """
    others = [each for each in history if each != latest]
    against = [each for each in others if contradict(each.answer, latest.answer)]
    if against:
        pair = sorted([latest, max(against, key=_age)], key=_age)
        said = " and ".join(describe_told(each) for each in pair)
        return Doubt(ReviewReason.CONFLICT, f"{said}: the first of them stands", pair[1].answer.observed_at)

    if latest.answer.line != LineState.UNREACHABLE:
        return None
    return _find_unreachable(sorted([*others, latest], key=_age), rule)


def _find_unreachable(told: Sequence[Told], rule: UnreachableRule) -> Doubt | None:
    """Return the doubt about a line that was not reached in enough tries in a row, spread over enough days."""
    row: list[Told] = []
    for each in told:
        row = [*row, each] if each.answer.line == LineState.UNREACHABLE else []
    if not row:
        return None

    first, last = row[0].answer.observed_at, row[-1].answer.observed_at
    if len(row) < rule.times or last - first < timedelta(days=rule.over_days):
        return None
    by_whom = ", ".join(sorted({each.source for each in row}))
    evidence = f"{len(row)} lookups in a row did not reach it, from {first:%Y-%m-%d} to {last:%Y-%m-%d} ({by_whom})"
    return Doubt(ReviewReason.SUSPECT, evidence, last)


def describe_told(told: Told) -> str:
    """Return what a provider has told of a line, and when, in a few words."""
    state = str(told.answer.line).replace("_", " ")
    return f"{told.source} said {state} at {told.answer.observed_at:%Y-%m-%d %H:%M} UTC"


def _age(told: Told) -> tuple[object, ...]:
    return age_of(told.answer)
