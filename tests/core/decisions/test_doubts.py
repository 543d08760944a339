"""When the answers about a number leave a doubt that a person has to settle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.decisions.doubts import Doubt, Told, belongs_to_history, find_doubt
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence, LineState
from ringfence.core.model.policy import UnreachableRule
from ringfence.core.model.review_items import ReviewReason

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
ACTIVE, DEAD, OFF = LineState.ACTIVE, LineState.DISCONNECTED, LineState.UNREACHABLE


def told(line: LineState, days: float, source: str = "twilio", evidence: Evidence = Evidence.LIVE_NETWORK) -> Told:
    moment = START + timedelta(days=days)
    return Told(source, Answer("+14155550132", AnswerKind.KNOWN, moment, line=line, evidence=evidence, paid=False))


def look(*history: Told, times: int = 3, over_days: float = 14) -> Doubt | None:
    return find_doubt(history[-1], history, UnreachableRule(times=times, over_days=over_days))


@pytest.mark.parametrize(
    ("days", "doubted"),
    [
        ((0, 7, 14), True),
        ((0, 7, 13.9), False),
        ((0, 30), False),
        ((0, 30, 60, 90), True),
    ],
)
def test_a_line_is_doubted_after_enough_tries_in_a_row_over_enough_days(days: tuple[float, ...], doubted: bool) -> None:
    doubt = look(*(told(OFF, day) for day in days))

    assert (doubt is not None) is doubted
    if doubt is not None:
        assert (doubt.reason, doubt.since) == (ReviewReason.SUSPECT, START + timedelta(days=days[-1]))


def test_a_line_that_was_reached_in_between_is_counted_anew() -> None:
    assert look(told(OFF, 0), told(OFF, 10), told(ACTIVE, 20), told(OFF, 40), told(OFF, 60)) is None
    assert look(told(ACTIVE, 0), told(OFF, 10), told(OFF, 20), told(OFF, 40)) is not None


def test_the_tries_of_several_providers_count_together_and_are_named() -> None:
    doubt = look(told(OFF, 0), told(OFF, 10, "vonage"), told(OFF, 20))

    assert doubt is not None
    assert doubt.evidence == ("3 lookups in a row did not reach it, from 2026-11-02 to 2026-11-22 (twilio, vonage)")


def test_the_rule_is_the_policys() -> None:
    assert look(told(OFF, 0), told(OFF, 1), times=2, over_days=1) is not None
    assert look(told(OFF, 0), told(OFF, 7), told(OFF, 20), times=4) is None


@pytest.mark.parametrize("source", ["twilio", "vonage"])
def test_answers_that_cannot_all_be_true_are_a_conflict_whoever_gave_them(source: str) -> None:
    doubt = look(told(ACTIVE, 0), told(DEAD, 0.5, source))

    assert doubt is not None
    assert doubt.reason is ReviewReason.CONFLICT
    assert doubt.evidence == (
        f"twilio said active at 2026-11-02 09:00 UTC and {source} said disconnected at 2026-11-02 21:00 UTC: "
        "the first of them stands"
    )


def test_an_older_answer_that_comes_late_is_a_conflict_too() -> None:
    latest = told(DEAD, 0, "itg")
    assert find_doubt(latest, [told(ACTIVE, 0.5), latest], UnreachableRule()) is not None


@pytest.mark.parametrize("history", [(told(ACTIVE, 0), told(DEAD, 1.1)), (told(ACTIVE, 0), told(ACTIVE, 0.5))])
def test_lines_may_change_in_more_than_a_day_and_may_be_confirmed(history: tuple[Told, ...]) -> None:
    assert look(*history) is None


@pytest.mark.parametrize("evidence", [Evidence.VENDOR_ASSERTED, Evidence.STATISTICAL])
def test_what_no_network_told_is_no_part_of_the_history(evidence: Evidence) -> None:
    assert not belongs_to_history(told(ACTIVE, 0, evidence=evidence).answer)
    assert belongs_to_history(told(ACTIVE, 0).answer)
