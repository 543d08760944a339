"""The parallel lookups that every provider is called through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from math import inf
from typing import Any

import pytest

from ringfence.connectors.lookups import pool
from ringfence.connectors.lookups.pool import LookupPool
from ringfence.core.errors import AuthenticationError, QuotaError, StoppedError, Terminated
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.numbers import Validity

NOW = datetime(2026, 11, 2, tzinfo=UTC)
NUMBERS = [f"+1415555{n:04}" for n in range(60)]
FIRST_TWO = NUMBERS[:2]


def known(e164: str) -> Answer:
    return Answer(e164, AnswerKind.KNOWN, NOW, validity=Validity.VALID)


def refused(e164: str) -> Answer:
    return Answer(e164, AnswerKind.FAILED, NOW, code="429", paid=False)


def lost(e164: str) -> Answer:
    return Answer(e164, AnswerKind.LOST, NOW, code="502")


def each(look_up_one: Callable[[str], Answer]) -> Callable[[Sequence[str]], Sequence[Answer]]:
    """Return what looks up the numbers of a call one after the other."""
    return lambda numbers: [look_up_one(e164) for e164 in numbers]


def give_up(last: Answer, failed: int) -> StoppedError:
    return QuotaError(f"{failed} numbers, error {last.code}")


def test_each_number_is_looked_up_once_by_several_threads() -> None:
    together = threading.Barrier(2, timeout=10)

    def look_up_one(e164: str) -> Answer:
        if e164 not in FIRST_TWO:
            together.wait()
        return known(e164)

    lookups = LookupPool("test", each(look_up_one), give_up, lost, threads=2)

    answers = list(lookups.look_up([*NUMBERS, *NUMBERS]))

    assert sorted(answer.e164 for answer in answers) == NUMBERS


def test_the_first_number_is_asked_about_alone_and_only_once_a_pool() -> None:
    asked: list[str] = []

    def look_up_one(e164: str) -> Answer:
        asked.append(e164)
        raise AuthenticationError("no such account")

    lookups = LookupPool("test", each(look_up_one), give_up, lost)

    with pytest.raises(AuthenticationError):
        list(lookups.look_up(NUMBERS))
    assert asked == NUMBERS[:1]

    lookups.proven = True
    with pytest.raises(AuthenticationError):
        list(lookups.look_up(NUMBERS))
    assert len(asked) > 2


def test_a_number_is_taken_only_when_a_thread_is_free() -> None:
    taken = count()
    numbers = (number for number in NUMBERS if next(taken) >= 0)
    lookups = LookupPool("test", each(known), give_up, lost, threads=2)

    answers = lookups.look_up(numbers)
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

    lookups = LookupPool("test", each(look_up_one), give_up, lost, threads=2, proven=True)
    answers: list[Answer] = []

    with pytest.raises(AuthenticationError):
        answers.extend(lookups.look_up(NUMBERS))

    assert [answer.e164 for answer in answers] == [NUMBERS[1]]


@pytest.mark.parametrize(
    ("fails", "proven", "fewest"), [(refused, True, 6), (lost, True, 2), (refused, False, 3), (lost, False, 3)]
)
def test_a_provider_that_fails_on_one_number_after_the_other_is_left_alone(
    fails: Callable[[str], Answer], proven: bool, fewest: int
) -> None:
    lookups = LookupPool("test", each(fails), give_up, lost, threads=2, most_failed=6, proven=proven)
    answers: list[Answer] = []

    with pytest.raises(QuotaError, match=f"{fewest} numbers, error"):
        answers.extend(lookups.look_up(NUMBERS))

    assert fewest <= len(answers) < fewest + 2


def test_failures_in_a_row_are_counted_over_several_batches() -> None:
    lookups = LookupPool("test", each(refused), give_up, lost, threads=1, most_failed=6, proven=True)

    assert len([*lookups.look_up(NUMBERS[:3]), *lookups.look_up(NUMBERS[3:5])]) == 5

    with pytest.raises(QuotaError):
        list(lookups.look_up(NUMBERS[5:7]))


@pytest.mark.parametrize("fails", [refused, lost])
def test_one_answer_between_failures_keeps_the_asking_going(fails: Callable[[str], Answer]) -> None:
    def look_up_one(e164: str) -> Answer:
        return known(e164) if e164.endswith(("0", "3", "7")) else fails(e164)

    lookups = LookupPool("test", each(look_up_one), give_up, lost, threads=1, most_failed=10)

    answers = list(lookups.look_up(NUMBERS))

    assert len(answers) == len(NUMBERS)


def test_a_process_that_is_to_end_asks_nothing_more_and_takes_what_is_on_its_way() -> None:
    both_sent = threading.Barrier(2, timeout=10)
    patience = inf

    def look_up_one(e164: str) -> Answer:
        nonlocal patience
        both_sent.wait()
        patience = 10.0
        return known(e164)

    lookups = LookupPool("test", each(look_up_one), give_up, lost, lambda: patience, threads=2, proven=True)

    assert sorted(answer.e164 for answer in lookups.look_up(NUMBERS)) == FIRST_TWO


def test_an_answer_that_there_is_no_time_to_wait_for_is_lost() -> None:
    never, patience = threading.Event(), inf

    def look_up_one(e164: str) -> Answer:
        nonlocal patience
        patience = 0.2
        never.wait(10)
        return known(e164)

    def pass_time() -> float:
        nonlocal patience
        patience = max(0.0, patience - 0.1)
        return patience

    lookups = LookupPool("test", each(look_up_one), give_up, lost, pass_time, threads=2, proven=True)
    answers = list(lookups.look_up(NUMBERS))
    never.set()

    assert [answer.kind for answer in answers] == [AnswerKind.LOST] * len(answers)
    assert 1 <= len(answers) <= 2


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Terminated])
def test_an_interrupt_while_waiting_loses_no_answer(
    interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_in(*_: Any) -> None:
        monkeypatch.undo()
        raise interrupt

    lookups = LookupPool("test", each(known), give_up, lost, threads=1)
    monkeypatch.setattr(pool, "wait", break_in)
    answers: list[Answer] = []

    with pytest.raises(interrupt):
        answers.extend(lookups.look_up(NUMBERS))

    assert [answer.e164 for answer in answers] == NUMBERS[:1]


def test_a_call_takes_so_many_numbers_and_no_more_than_there_are() -> None:
    calls: list[int] = []

    def look_up_some(numbers: Sequence[str]) -> Sequence[Answer]:
        calls.append(len(numbers))
        return [known(e164) for e164 in numbers]

    answers = list(LookupPool("test", look_up_some, give_up, lost, threads=2, size=25).look_up(NUMBERS))

    assert sorted(answer.e164 for answer in answers) == NUMBERS
    assert sorted(calls) == [10, 25, 25]
