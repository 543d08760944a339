"""The parallel lookups that every provider is called through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest

from ringfence.connectors.lookups.pool import LookupPool
from ringfence.core.errors import AuthenticationError, QuotaError, StoppedError
from ringfence.core.model.answers import Answer, AnswerKind

NOW = datetime(2026, 11, 2, tzinfo=UTC)
NUMBERS = [f"+1415555{n:04}" for n in range(60)]
FIRST_TWO = NUMBERS[:2]


def known(e164: str) -> Answer:
    return Answer(e164, AnswerKind.KNOWN, NOW, valid=True)


def refused(e164: str) -> Answer:
    return Answer(e164, AnswerKind.FAILED, NOW, code="429", paid=False)


def lost(e164: str) -> Answer:
    return Answer(e164, AnswerKind.LOST, NOW, code="502")


def give_up(last: Answer, failed: int) -> StoppedError:
    return QuotaError(f"{failed} numbers, error {last.code}")


def test_each_number_is_looked_up_once_by_several_threads() -> None:
    together = threading.Barrier(2, timeout=10)

    def look_up_one(e164: str) -> Answer:
        if e164 not in FIRST_TWO:
            together.wait()
        return known(e164)

    pool = LookupPool("test", look_up_one, give_up, threads=2)

    answers = list(pool.look_up([*NUMBERS, *NUMBERS]))

    assert sorted(answer.e164 for answer in answers) == NUMBERS


def test_the_first_number_is_asked_about_alone_and_only_once_a_pool() -> None:
    asked: list[str] = []

    def look_up_one(e164: str) -> Answer:
        asked.append(e164)
        raise AuthenticationError("no such account")

    pool = LookupPool("test", look_up_one, give_up)

    with pytest.raises(AuthenticationError):
        list(pool.look_up(NUMBERS))
    assert asked == NUMBERS[:1]

    pool.proven = True
    with pytest.raises(AuthenticationError):
        list(pool.look_up(NUMBERS))
    assert len(asked) > 2


def test_a_number_is_taken_only_when_a_thread_is_free() -> None:
    taken = count()
    numbers = (number for number in NUMBERS if next(taken) >= 0)
    pool = LookupPool("test", known, give_up, threads=2)

    answers = pool.look_up(numbers)
    next(answers)

    assert next(taken) <= 4

    answers.close()  # type: ignore[attr-defined]  # it is a generator


def test_answers_under_way_are_given_before_the_error_is_raised() -> None:
    both_sent = threading.Barrier(2, timeout=10)

    def look_up_one(e164: str) -> Answer:
        both_sent.wait()
        if e164 == NUMBERS[0]:
            raise AuthenticationError("no such account")
        return known(e164)

    pool = LookupPool("test", look_up_one, give_up, threads=2, proven=True)
    answers: list[Answer] = []

    with pytest.raises(AuthenticationError):
        answers.extend(pool.look_up(NUMBERS))

    assert [answer.e164 for answer in answers] == [NUMBERS[1]]


@pytest.mark.parametrize(
    ("fails", "proven", "fewest"), [(refused, True, 6), (lost, True, 2), (refused, False, 3), (lost, False, 3)]
)
def test_a_provider_that_fails_on_one_number_after_the_other_is_left_alone(
    fails: Callable[[str], Answer], proven: bool, fewest: int
) -> None:
    pool = LookupPool("test", fails, give_up, threads=2, most_failed=6, proven=proven)
    answers: list[Answer] = []

    with pytest.raises(QuotaError, match=f"{fewest} numbers, error"):
        answers.extend(pool.look_up(NUMBERS))

    assert fewest <= len(answers) < fewest + 2


def test_failures_in_a_row_are_counted_over_several_batches() -> None:
    pool = LookupPool("test", refused, give_up, threads=1, most_failed=6, proven=True)

    assert len([*pool.look_up(NUMBERS[:3]), *pool.look_up(NUMBERS[3:5])]) == 5

    with pytest.raises(QuotaError):
        list(pool.look_up(NUMBERS[5:7]))


@pytest.mark.parametrize("fails", [refused, lost])
def test_one_answer_between_failures_keeps_the_asking_going(fails: Callable[[str], Answer]) -> None:
    def look_up_one(e164: str) -> Answer:
        return known(e164) if e164.endswith(("0", "3", "7")) else fails(e164)

    pool = LookupPool("test", look_up_one, give_up, threads=1, most_failed=10)

    answers = list(pool.look_up(NUMBERS))

    assert len(answers) == len(NUMBERS)
