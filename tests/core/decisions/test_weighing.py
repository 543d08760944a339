"""Which of several answers about a number decides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.weighing import contradict, find_deciding
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence, LineState, Reassigned, Reassignment
from ringfence.core.numbers import Validity

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
OWNERS = [None, *(Reassignment(answer, date(2025, 1, 1)) for answer in Reassigned)]


def answer(
    line: LineState,
    hours: int = 0,
    evidence: Evidence | None = Evidence.LIVE_NETWORK,
    reassigned: Reassignment | None = None,
) -> Answer:
    """Return an answer that came so many hours after the start."""
    at = START + timedelta(hours=hours)
    return Answer(
        "+14155550132",
        AnswerKind.KNOWN,
        at,
        validity=Validity.VALID,
        line=line,
        evidence=evidence,
        reassigned=reassigned,
    )


answers = st.builds(
    answer,
    st.sampled_from(LineState),
    st.integers(0, 80),
    st.sampled_from([None, *Evidence]),
    st.sampled_from(OWNERS),
)


@given(st.lists(answers, min_size=1, max_size=4))
def test_the_order_of_the_answers_does_not_matter(them: list[Answer]) -> None:
    decided = {them[find_deciding(them)]}
    for other in permutations(them):
        decided.add(other[find_deciding(other)])

    assert len(decided) == 1


@given(answers, answers)
def test_a_weaker_answer_never_replaces_a_live_one(live: Answer, weaker: Answer) -> None:
    if live.evidence is None or live.evidence.strength < Evidence.CARRIER_FEED.strength:
        return
    if weaker.evidence is None or weaker.evidence.strength >= Evidence.CARRIER_FEED.strength or weaker.reassigned:
        return

    assert find_deciding([live, weaker]) == 0


@pytest.mark.parametrize(
    ("hours", "decides"), [(1, LineState.ACTIVE), (24, LineState.ACTIVE), (25, LineState.DISCONNECTED)]
)
def test_of_two_live_answers_that_contradict_each_other_within_a_day_the_earlier_stands(
    hours: int, decides: LineState
) -> None:
    them = [answer(LineState.DISCONNECTED, hours), answer(LineState.ACTIVE)]

    assert them[find_deciding(them)].line == decides
    assert contradict(*them) is (hours <= 24)


def test_a_dead_line_stands_against_a_live_one_of_the_same_second() -> None:
    them = [answer(LineState.ACTIVE), answer(LineState.DISCONNECTED)]

    assert find_deciding(them) == 1


def test_a_line_that_cannot_be_reached_now_contradicts_nothing() -> None:
    them = [answer(LineState.ACTIVE), answer(LineState.UNREACHABLE, 1)]

    assert find_deciding(them) == 1


def test_a_number_that_has_gone_to_another_person_has_gone_whatever_its_line_says_later() -> None:
    gone, stayed = (Reassignment(each, date(2025, 1, 1)) for each in (Reassigned.YES, Reassigned.NO))
    them = [answer(LineState.ACTIVE, reassigned=gone), answer(LineState.ACTIVE, 30)]
    assert find_deciding(them) == 0

    them.append(answer(LineState.ACTIVE, 40, reassigned=stayed))
    assert find_deciding(them) == 2
