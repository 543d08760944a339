"""The parallel lookups that every provider is called through."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import count

import pytest

from ringfence.connectors.lookups.pool import LookupPool
from ringfence.core.errors import AuthenticationError, QuotaError, StoppedError
from ringfence.core.model.answers import Answer, AnswerKind

NOW = datetime(2026, 11, 2, tzinfo=UTC)
NUMBERS = [f"+1415555{n:04}" for n in range(60)]


def known(e164: str) -> Answer:
    return Answer(e164, AnswerKind.KNOWN, NOW, valid=True)


def refused(e164: str) -> Answer:
    return Answer(e164, AnswerKind.FAILED, NOW, code="429", paid=False)


def give_up(code: str) -> StoppedError:
    return QuotaError(f"error {code}")


def test_each_number_is_looked_up_once_by_several_threads() -> None:
    together = threading.Barrier(2, timeout=10)

    def look_up_one(e164: str) -> Answer:
        together.wait()
        return known(e164)

    pool = LookupPool("test", look_up_one, give_up, threads=2)

    answers = list(pool.look_up([*NUMBERS, *NUMBERS]))

    assert sorted(answer.e164 for answer in answers) == NUMBERS


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

    pool = LookupPool("test", look_up_one, give_up, threads=2)
    answers: list[Answer] = []

    with pytest.raises(AuthenticationError):
        answers.extend(pool.look_up(NUMBERS))

    assert [answer.e164 for answer in answers] == [NUMBERS[1]]


def test_a_provider_that_refuses_one_number_after_the_other_is_left_alone() -> None:
    pool = LookupPool("test", refused, give_up, threads=2, most_refused=5)
    answers: list[Answer] = []

    with pytest.raises(QuotaError, match="error 429"):
        answers.extend(pool.look_up(NUMBERS))

    assert 5 <= len(answers) < 5 + 2


def test_one_answer_between_refusals_keeps_the_asking_going() -> None:
    pool = LookupPool(
        "test", lambda e164: known(e164) if e164.endswith(("3", "7")) else refused(e164), give_up, threads=1,
        most_refused=6,
    )  # fmt: skip

    answers = list(pool.look_up(NUMBERS))

    assert len(answers) == len(NUMBERS)
