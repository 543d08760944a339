"""Asking a provider: what is on record at every moment between a question and the use of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from ringfence.core.errors import QuotaError, StateError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.screening.purchase import ask
from ringfence.core.state.journal import Journal
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.lookup_questions import ANSWER_WITHIN
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

A, B, C, D = (f"+1415555013{i}" for i in range(4))
MONTH = timedelta(days=30)
FAILED = {"kind": AnswerKind.FAILED, "paid": False}
REALM = "first:host:account"
ANSWERS = frozenset({AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE})
FAILURES = frozenset({AnswerKind.FAILED})
QUESTIONS = frozenset({AnswerKind.LOST})
CUT_OFF = {"kind": AnswerKind.LOST}


def buy(facts: LookupCache, clock: SetClock, provider: Any, numbers: Sequence[str], **options: Any) -> Iterator[Answer]:
    return ask(facts, clock, provider, numbers, since=clock.now() - MONTH, **options)


@pytest.fixture
def facts(store: Store) -> LookupCache:
    return LookupCache(store, "run-1")


@pytest.fixture
def kept(store: Store, clock: SetClock) -> Any:
    """Return which of the numbers have answers, failures or open questions on record, as a run sees them."""

    def look(kinds: frozenset[AnswerKind], run_id: str = "run-1") -> dict[str, AnswerKind]:
        found = LookupCache(store, run_id).find([A, B, C, D], [REALM], clock.now() - MONTH, clock.now())
        of_these = [each.answer for some in found.values() for each in some if each.answer.kind in kinds]
        return {answer.e164: answer.kind for answer in of_these}

    return look


def test_a_question_is_on_record_before_it_goes_out_and_only_then(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    seen: dict[str, Any] = {}
    provider.on_question = lambda number: seen.update({number: kept(QUESTIONS)})
    for answer in buy(facts, clock, provider, [A, B]):
        assert seen.pop(answer.e164) == {answer.e164: AnswerKind.LOST}


def test_an_answer_is_durable_and_its_question_closed_before_it_is_used(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={B: {"kind": AnswerKind.INCONCLUSIVE}})
    answers = buy(facts, clock, provider, [A, B])

    assert next(answers).kind is AnswerKind.KNOWN
    assert kept(ANSWERS, "run-2") == {A: AnswerKind.KNOWN}
    assert kept(QUESTIONS) == {}
    assert next(answers).kind is AnswerKind.INCONCLUSIVE
    assert kept(ANSWERS, "run-2") == {A: AnswerKind.KNOWN, B: AnswerKind.INCONCLUSIVE}


def test_a_question_that_never_went_out_fails_for_this_run_only_and_replaces_no_answer(
    facts: LookupCache, store: Store, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    list(buy(LookupCache(store, "earlier"), clock, provider, [A]))
    provider.says[A] = FAILED

    clock.advance(days=31)

    assert [answer.kind for answer in buy(facts, clock, provider, [A])] == [AnswerKind.FAILED]
    assert kept(ANSWERS, "earlier") == {A: AnswerKind.KNOWN}
    assert kept(FAILURES) == {A: AnswerKind.FAILED}
    assert kept(FAILURES, "run-2") == {}
    assert kept(QUESTIONS) == {}


def test_an_answer_that_was_lost_on_its_way_keeps_its_question_on_record(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={A: CUT_OFF})

    assert [answer.kind for answer in buy(facts, clock, provider, [A, B])] == [AnswerKind.LOST, AnswerKind.KNOWN]
    assert kept(QUESTIONS, "run-2") == {A: AnswerKind.LOST}
    assert kept(FAILURES) == {}


def test_an_outage_leaves_no_question_about_numbers_that_were_not_asked_about(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={A: CUT_OFF, C: QuotaError("no credit")})

    with pytest.raises(QuotaError):
        list(buy(facts, clock, provider, [A, B, C, D]))
    assert provider.asked == [A, B, C]
    assert kept(ANSWERS) == {B: AnswerKind.KNOWN}
    assert kept(QUESTIONS) == {A: AnswerKind.LOST}


def test_a_fault_of_the_store_while_an_answer_is_kept_leaves_its_question_on_record(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_provider()
    monkeypatch.setattr(facts, "record_answer", _locked)

    with pytest.raises(StateError):
        list(buy(facts, clock, provider, [A]))
    assert kept(QUESTIONS, "run-2") == {A: AnswerKind.LOST}


def test_a_fault_of_the_store_before_a_question_loses_no_answer_that_is_on_its_way(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_provider(ahead=3)
    provider.on_question = lambda number: number == B and monkeypatch.setattr(facts, "claim", _locked)

    with pytest.raises(StateError):
        list(buy(facts, clock, provider, [A, B, C]))
    assert provider.asked == [A, B]
    assert kept(ANSWERS, "run-2") == {A: AnswerKind.KNOWN, B: AnswerKind.KNOWN}
    assert kept(QUESTIONS, "run-2") == {}


def _locked(*_: Any, **__: Any) -> None:
    raise StateError("The state store does not work: database is locked.")


@pytest.mark.parametrize("paid", [False, True])
def test_a_failure_is_never_booked_as_bought_and_lost(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider, paid: bool
) -> None:
    provider = make_provider(says={A: {"kind": AnswerKind.FAILED, "paid": paid}})

    assert [answer.kind for answer in buy(facts, clock, provider, [A])] == [AnswerKind.FAILED]
    assert kept(QUESTIONS, "run-2") == {}


@pytest.mark.parametrize("end", [KeyboardInterrupt(), MemoryError()])
def test_whatever_else_ends_a_run_leaves_the_open_questions_on_record(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider, end: BaseException
) -> None:
    provider = make_provider(ahead=2, says={C: end})

    with pytest.raises(type(end)):
        list(buy(facts, clock, provider, [A, B, D, C]))
    assert kept(ANSWERS) == {A: AnswerKind.KNOWN, B: AnswerKind.KNOWN}
    assert kept(QUESTIONS, "run-2") == {C: AnswerKind.LOST, D: AnswerKind.LOST}


def test_a_run_that_ends_early_asks_no_more_and_keeps_what_is_on_its_way(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(ahead=3)
    answers = buy(facts, clock, provider, [A, B, C, D])

    assert next(answers).e164 == C

    answers.close()

    assert provider.asked == [A, B, C]
    assert kept(ANSWERS, "run-2") == dict.fromkeys([A, B, C], AnswerKind.KNOWN)
    assert kept(QUESTIONS, "run-2") == {}


def test_what_goes_wrong_with_answers_after_the_end_leaves_their_questions_on_record(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_provider(ahead=3)
    answers = buy(facts, clock, provider, [A, B, C])
    next(answers)
    monkeypatch.setattr(facts, "record_answer", _locked)

    answers.close()

    assert kept(QUESTIONS, "run-2") == {A: AnswerKind.LOST, B: AnswerKind.LOST}


def test_answers_may_come_in_any_order(
    facts: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(ahead=3, says={B: UnreachableError("down")})

    with pytest.raises(UnreachableError):
        list(buy(facts, clock, provider, [A, B, C]))
    assert kept(ANSWERS) == {C: AnswerKind.KNOWN}
    assert kept(QUESTIONS) == {}


@pytest.fixture
def beside(store: Store, clock: SetClock) -> LookupCache:
    """A second run, of another org, while the first one is under way."""
    for run_id in ("run-1", "run-2"):
        Journal(store, run_id).begin("memory", None, clock.now(), dry_run=False, options={})
    return LookupCache(store, "run-2")


def test_two_runs_at_once_ask_about_each_number_once(
    facts: LookupCache, beside: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    theirs: list[Answer] = []
    other = make_provider()
    provider = make_provider(on_question=lambda _: theirs.extend(buy(beside, clock, other, [A, B, C])))

    ours = list(buy(facts, clock, provider, [A, B, C]))

    assert (provider.asked, other.asked) == ([A], [B, C])
    # The second run does not wait for the first one's answer: the number stays due.
    assert {answer.e164: (answer.kind, answer.paid) for answer in theirs} == {
        A: (AnswerKind.FAILED, False),
        B: (AnswerKind.KNOWN, True),
        C: (AnswerKind.KNOWN, True),
    }
    assert {answer.e164: (answer.kind, answer.paid) for answer in ours} == {
        A: (AnswerKind.KNOWN, True),
        B: (AnswerKind.KNOWN, False),
        C: (AnswerKind.KNOWN, False),
    }
    assert kept(QUESTIONS) == {}


def test_a_question_of_a_run_under_way_is_no_lost_answer_until_none_can_come_any_more(
    facts: LookupCache, beside: LookupCache, kept: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={A: MemoryError()})
    with pytest.raises(MemoryError):
        list(buy(facts, clock, provider, [A]))

    provider.says.clear()
    assert kept(QUESTIONS, "run-2") == {}

    clock.time += ANSWER_WITHIN

    assert kept(QUESTIONS, "run-2") == {A: AnswerKind.LOST}
    assert [answer.kind for answer in buy(beside, clock, provider, [A])] == [AnswerKind.LOST]
    assert provider.asked == [A]


@pytest.mark.parametrize("fault", [FAILED, UnreachableError("down")])
def test_asking_again_in_vain_forgets_no_lost_answer(
    facts: LookupCache, store: Store, kept: Any, clock: SetClock, make_provider: MakeProvider, fault: Any
) -> None:
    provider = make_provider(says={A: CUT_OFF})
    list(buy(LookupCache(store, "earlier"), clock, provider, [A]))
    provider.says[A] = fault
    clock.advance(days=1)

    with suppress(UnreachableError):
        list(buy(facts, clock, provider, [A], again=True))

    assert kept(QUESTIONS, "run-2") == {A: AnswerKind.LOST}

    clock.advance(days=29, seconds=1)  # it ages from the day of the question that may have been billed
    assert kept(QUESTIONS, "run-2") == {}


def test_an_answer_lost_in_this_run_is_asked_for_again_in_the_next_one_at_the_earliest(
    facts: LookupCache, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={A: CUT_OFF})
    for _ in range(3):
        assert [answer.kind for answer in buy(facts, clock, provider, [A], again=True)] == [AnswerKind.LOST]

    assert provider.asked == [A]
