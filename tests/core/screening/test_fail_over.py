"""A provider that fails as a whole: it is left out for the rest of the run, and the next one is asked."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ringfence.core.errors import AuthenticationError, QuotaError, RingfenceError, StateError, UnreachableError
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.verdicts import judge
from ringfence.core.numbers import read_number
from ringfence.core.screening.screening import Question, Screening
from testkit.memory_runs import MakeProvider

A, B, C = (f"+1415555013{last}" for last in range(3))
OUTAGES = [
    AuthenticationError("key K-12345 was not accepted for +14155550130"),
    QuotaError("no credit is left"),
    UnreachableError("lookup.example does not answer"),
]
FAILED = {"kind": AnswerKind.FAILED, "paid": False}
NOTHING_NEW = {"kind": AnswerKind.INCONCLUSIVE}


def statuses(screening: Screening, *numbers: str) -> list[str | None]:
    """Screen the numbers and return the status of each; None where a lookup is owed."""
    asked = [read_number(number, None) for number in numbers]
    found = screening.screen(Question(number) for number in asked)
    return [judge(facts).status.value if (facts := found[number]) else None for number in asked]


@pytest.mark.parametrize("outage", OUTAGES)
def test_the_next_provider_is_asked_and_the_failing_one_left_out_for_the_rest_of_the_run(
    run: Any, make_provider: MakeProvider, outage: RingfenceError
) -> None:
    one, two = make_provider(says={B: outage}), make_provider("second")
    screening = run(one, two)

    found = statuses(screening, A, B) + statuses(screening, C)

    assert found == ["active"] * 3
    assert (one.asked, two.asked) == ([A, B], [B, C])
    assert screening.tally.lookups == 3


def test_the_next_run_asks_the_provider_again(run: Any, make_provider: MakeProvider) -> None:
    one, two = make_provider(says={A: OUTAGES[1]}), make_provider("second")
    statuses(run(one, two), A)
    one.says.clear()

    statuses(run(one, two), B)

    assert (one.asked, two.asked) == ([A, B], [A])


def test_one_warning_names_the_provider_and_neither_a_number_nor_a_secret(
    run: Any, make_provider: MakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    screening = run(make_provider(says={A: OUTAGES[0]}), make_provider("second"))

    with caplog.at_level(logging.DEBUG, "ringfence"):
        for number in (A, B, C):
            statuses(screening, number)

    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert (record.levelname, record.name) == ("WARNING", "ringfence.core.screening.buying")
    assert "first" in record.getMessage()
    assert "AuthenticationError" in record.getMessage()
    assert "K-12345" not in record.getMessage()
    assert "5550" not in record.getMessage()


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_single_provider_that_fails_as_a_whole_leaves_every_lookup_owed_and_tells_why(
    run: Any, make_provider: MakeProvider, caplog: pytest.LogCaptureFixture, outage: RingfenceError
) -> None:
    one = make_provider(says={B: outage})
    screening = run(one)

    with caplog.at_level(logging.WARNING, "ringfence"):
        found = statuses(screening, A, B) + statuses(screening, C, "+1 999 555 0100")

    assert found == ["active", None, None, "invalid"]
    assert screening.outage is outage
    assert screening.tally.failed == 2
    assert not screening.exhausted
    assert one.asked == [A, B]
    assert caplog.records == []


@pytest.mark.parametrize("batches", [[[A, B]], [[A], [B]]])
@pytest.mark.parametrize(("second", "told"), [(OUTAGES[2], OUTAGES[1]), (OUTAGES[0], OUTAGES[0])])
def test_where_none_is_left_refused_credentials_are_told_and_else_the_first_error(
    run: Any, make_provider: MakeProvider, batches: list[list[str]], second: RingfenceError, told: RingfenceError
) -> None:
    one, two = make_provider(says={A: OUTAGES[1]}), make_provider("second", says={B: second})
    screening = run(one, two)

    found = [status for batch in batches for status in statuses(screening, *batch)]

    assert screening.outage is told
    # No number goes without a lookup silently after that.
    assert [*found[1:], *statuses(screening, C)] == [None, None]
    assert screening.tally.failed >= 2


def test_what_the_one_before_could_not_tell_stands_where_the_next_fails_as_a_whole(
    run: Any, make_provider: MakeProvider
) -> None:
    one = make_provider(says={A: NOTHING_NEW, B: FAILED})
    two = make_provider("second", says=dict.fromkeys((A, B), OUTAGES[2]))
    screening = run(one, two)

    found = [statuses(screening, A, B), statuses(screening, B)]

    # Every provider that is left has failed on the second number: it is not asked about again in this run.
    assert found == [["valid", None], [None]]
    assert one.asked == [A, B]


def test_a_number_that_nobody_could_be_asked_about_within_the_budget_is_owed(
    run: Any, make_provider: MakeProvider
) -> None:
    one, two = make_provider(says={C: OUTAGES[1]}), make_provider("second")
    screening = run(one, two, max_lookups=2)

    found = statuses(screening, A, B) + statuses(screening, C)

    assert found == ["active", "active", None]
    assert screening.exhausted
    assert two.asked == []


@pytest.mark.parametrize("fault", [StateError("database is locked"), MemoryError()])
def test_no_other_error_is_taken_for_an_outage(run: Any, make_provider: MakeProvider, fault: BaseException) -> None:
    two = make_provider("second")

    with pytest.raises(type(fault)):
        statuses(run(make_provider(says={A: fault}), two), A)

    assert two.asked == []


def test_values_that_nobody_knows_are_counted_by_provider(run: Any, make_provider: MakeProvider) -> None:
    odd = {**NOTHING_NEW, "unrecognised": (("line_type", "hologram"),)}
    screening = run(make_provider(says={A: odd, B: odd, C: {**odd, "unrecognised": (("line_state", "asleep"),)}}))

    statuses(screening, A, B, C)

    assert screening.tally.unrecognised == {"first": {"line_type=hologram": 2, "line_state=asleep": 1}}
