"""What calls and messages amount to, in whatever order they become known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.fusion import fuse
from ringfence.core.model.axes import Evidence, LineState
from ringfence.core.model.evidence_rules import EvidenceRules, SuspectRule
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import History, NumberSign, SourceKind

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
RULES = EvidenceRules(doubtful_receipts=("vonage",), codes={"twilio": {"30006": "neutral"}})
SOURCES = {SourceKind.CALL: "dialler", SourceKind.MESSAGE: "twilio", SourceKind.PERSON: "review"}


def sign(
    outcome: Outcome, days: float, kind: SourceKind = SourceKind.CALL, source: str = "", code: str = ""
) -> NumberSign:
    return NumberSign(START + timedelta(days=days), kind, source or SOURCES[kind], outcome, code)


signs = st.builds(
    sign,
    st.sampled_from(Outcome),
    st.integers(0, 60),
    st.sampled_from(SourceKind),
    st.sampled_from(["", "vonage"]),
    st.sampled_from(["", "30006"]),
)


def badness(history: History) -> int:
    """Return how bad a history is: 0 for a line that is known to be alive, 3 for one that counts as disconnected."""
    lines = sorted(history.lines, key=lambda each: (each.evidence is Evidence.HUMAN, each.observed_at))
    if lines and lines[-1].line is LineState.DISCONNECTED:
        return 3
    if history.suspicion is not None:
        return 2
    return 0 if lines else 1


@given(st.lists(signs, max_size=5))
def test_the_order_does_not_matter_and_repeats_change_nothing(them: list[NumberSign]) -> None:
    assert len({fuse(other, RULES) for other in permutations(them)}) == 1
    assert fuse([*them, *them], RULES) == fuse(them, RULES)


@given(st.lists(signs, max_size=8), signs)
def test_one_more_sign_of_life_never_makes_it_worse(them: list[NumberSign], life: NumberSign) -> None:
    life = life._replace(outcome=Outcome.CONNECTED, code="")

    assert badness(fuse([*them, life], RULES)) <= badness(fuse(them, RULES))


@pytest.mark.parametrize(
    ("days", "suspected"),
    [((0, 5, 10, 14), True), ((0, 5, 10, 13), False), ((0, 14, 30), False), ((0, 1, 2, 20, 21), True)],
)
def test_enough_failures_in_a_row_over_enough_days_make_a_suspicion(days: tuple[float, ...], suspected: bool) -> None:
    found = fuse([sign(Outcome.NO_ANSWER, day) for day in days], RULES)

    assert (found.suspicion is not None) is suspected
    assert found.lines == ()
    if found.suspicion is not None:
        assert found.suspicion.since == START + timedelta(days=days[-1])
        assert found.suspicion.said == f"{len(days)} calls and messages in a row failed since 2026-11-02 (dialler)"


@pytest.mark.parametrize("outcome", [Outcome.CONNECTED, Outcome.VOICEMAIL, Outcome.BUSY, Outcome.DELIVERED])
def test_a_sign_of_life_between_them_ends_the_row(outcome: Outcome) -> None:
    failures = [sign(Outcome.UNDELIVERED, day, SourceKind.MESSAGE) for day in (0, 10, 20, 30)]
    assert fuse(failures, RULES).suspicion is not None

    assert fuse([*failures, sign(outcome, 25)], RULES).suspicion is None


def test_what_shows_nothing_of_the_line_neither_ends_a_row_nor_adds_to_it() -> None:
    failures = [sign(Outcome.NO_ANSWER, day) for day in (0, 10, 20)]
    nothing = sign(Outcome.UNDELIVERED, 15, SourceKind.MESSAGE, code="30006")

    assert fuse([*failures, nothing], RULES).suspicion is None
    assert fuse([*failures, nothing, sign(Outcome.NO_ANSWER, 30)], RULES).suspicion is not None


@pytest.mark.parametrize("kind", [SourceKind.CALL, SourceKind.MESSAGE])
def test_one_kind_of_source_never_makes_a_number_disconnected(kind: SourceKind) -> None:
    found = fuse([sign(Outcome.OUT_OF_SERVICE, day, kind) for day in range(9)], RULES)

    assert found.lines == ()
    assert found.suspicion is not None


def test_two_kinds_of_source_do_and_are_named() -> None:
    found = fuse([sign(Outcome.OUT_OF_SERVICE, 0), sign(Outcome.OUT_OF_SERVICE, 3, SourceKind.MESSAGE)], RULES)

    (line,) = found.lines
    assert (line.line, line.source, line.observed_at) == (
        LineState.DISCONNECTED,
        "dialler and twilio",
        START + timedelta(days=3),
    )


def test_what_was_said_before_the_last_sign_of_life_counts_no_more() -> None:
    dead = [sign(Outcome.OUT_OF_SERVICE, 0), sign(Outcome.OUT_OF_SERVICE, 1, SourceKind.MESSAGE)]

    (line,) = fuse([*dead, sign(Outcome.CONNECTED, 2)], RULES).lines

    assert (line.line, line.said) == (LineState.ACTIVE, "somebody was reached")


def test_a_receipt_that_proves_little_ends_a_row_and_is_no_life() -> None:
    failures = [sign(Outcome.NO_ANSWER, day) for day in (0, 10, 20, 30)]
    found = fuse([*failures, sign(Outcome.DELIVERED, 31, SourceKind.MESSAGE, "vonage")], RULES)

    assert (found.lines, found.suspicion) == ((), None)


def test_a_lookup_answers_the_failures_before_it() -> None:
    failures = [sign(Outcome.NO_ANSWER, day) for day in (0, 10, 20, 30)]

    assert fuse(failures, RULES, START + timedelta(days=31)).suspicion is None
    assert fuse(failures, RULES, START + timedelta(days=-1)).suspicion is not None


@pytest.mark.parametrize(
    ("outcome", "line"),
    [(Outcome.CONNECTED, LineState.ACTIVE), (Outcome.OUT_OF_SERVICE, LineState.DISCONNECTED)],
)
def test_what_somebody_decides_settles_it(outcome: Outcome, line: LineState) -> None:
    failures = [sign(Outcome.NO_ANSWER, day) for day in (0, 10, 20, 30)]

    found = fuse([*failures, sign(outcome, 31, SourceKind.PERSON)], RULES)

    assert (found.suspicion, found.lines[0].line, found.lines[0].evidence) == (None, line, Evidence.HUMAN)


def test_a_call_that_is_answered_later_ends_what_somebody_took_for_dead() -> None:
    found = fuse([sign(Outcome.OUT_OF_SERVICE, 0, SourceKind.PERSON), sign(Outcome.CONNECTED, 1)], RULES)

    assert [each.line for each in found.lines] == [LineState.ACTIVE]


def test_the_rules_are_the_files() -> None:
    strict = EvidenceRules(suspect=SuspectRule(failed_in_a_row=2, over_days=0, dead_signs=9))

    assert fuse([sign(Outcome.NO_ANSWER, 0), sign(Outcome.NO_ANSWER, 0.1)], strict).suspicion is not None
    assert fuse([sign(Outcome.OUT_OF_SERVICE, 0)], strict).suspicion is None
