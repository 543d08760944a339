"""Asking a provider: what is on record at every moment between a question and the use of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.errors import QuotaError, StateError, UnreachableError
from ringfence.core.ports import AnswerKind
from ringfence.core.purchase import ask, asked_realm, failed_realm
from ringfence.core.state.facts import FactStore
from ringfence.core.state.store import Store

A, B, C, D = (f"+1415555013{i}" for i in range(4))
FAILED = {"kind": AnswerKind.FAILED, "paid": False}
CUT_OFF = {"kind": AnswerKind.FAILED, "paid": True}


@pytest.fixture
def facts(store: Store) -> FactStore:
    return FactStore(store, "run-1")


@pytest.fixture
def kept(store: Store, clock: Any) -> Any:
    """Tell which of these numbers are on record in a realm for the run that asks, by kind."""

    def look(realm: str, run_id: str = "run-1") -> dict[str, AnswerKind]:
        found = FactStore(store, run_id).find([A, B, C, D], [realm], clock.now())
        return {number: answers[0].answer.kind for number, answers in found.items()}

    return look


def test_a_mark_stands_before_its_question_goes_out_and_only_then(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any
) -> None:
    provider = make_provider()
    seen: dict[str, Any] = {}
    provider.on_question = lambda number: seen.update({number: kept(asked_realm(provider))})
    for answer in ask(facts, clock, provider, [A, B]):
        assert seen.pop(answer.e164) == {answer.e164: AnswerKind.LOST}


def test_an_answer_is_durable_and_its_mark_gone_before_it_is_used(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any
) -> None:
    provider = make_provider(says={B: {"kind": AnswerKind.INCONCLUSIVE}})
    answers = ask(facts, clock, provider, [A, B])
    assert next(answers).kind is AnswerKind.KNOWN
    assert kept(provider.realm, "run-2") == {A: AnswerKind.KNOWN}
    assert kept(asked_realm(provider)) == {}
    assert next(answers).kind is AnswerKind.INCONCLUSIVE
    assert kept(provider.realm, "run-2") == {A: AnswerKind.KNOWN, B: AnswerKind.INCONCLUSIVE}


def test_a_question_that_never_went_out_fails_for_this_run_only_and_replaces_no_answer(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any
) -> None:
    provider = make_provider()
    list(ask(facts, clock, provider, [A]))
    provider.says[A] = FAILED
    assert [answer.kind for answer in ask(facts, clock, provider, [A])] == [AnswerKind.FAILED]
    assert kept(provider.realm) == {A: AnswerKind.KNOWN}
    assert kept(failed_realm(provider)) == {A: AnswerKind.FAILED}
    assert kept(failed_realm(provider), "run-2") == {}
    assert kept(asked_realm(provider)) == {}


@pytest.mark.parametrize("told", [CUT_OFF, {"kind": AnswerKind.LOST}])
def test_an_answer_that_may_have_been_billed_stays_marked(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any, told: Any
) -> None:
    provider = make_provider(says={A: told})
    assert [answer.kind for answer in ask(facts, clock, provider, [A, B])] == [AnswerKind.LOST, AnswerKind.KNOWN]
    assert kept(asked_realm(provider), "run-2") == {A: AnswerKind.LOST}
    assert kept(failed_realm(provider)) == {}


def test_an_outage_leaves_no_mark_on_numbers_that_were_not_asked(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any
) -> None:
    provider = make_provider(says={A: CUT_OFF, C: QuotaError("no credit")})
    with pytest.raises(QuotaError):
        list(ask(facts, clock, provider, [A, B, C, D]))
    assert provider.asked == [A, B, C]
    assert kept(provider.realm) == {B: AnswerKind.KNOWN}
    assert kept(asked_realm(provider)) == {A: AnswerKind.LOST}


def test_a_fault_of_the_store_while_an_answer_is_kept_leaves_its_mark(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_provider()
    monkeypatch.setattr(facts, "settle", _locked)
    with pytest.raises(StateError):
        list(ask(facts, clock, provider, [A]))
    assert kept(asked_realm(provider), "run-2") == {A: AnswerKind.LOST}


def test_a_fault_of_the_store_before_a_question_loses_no_answer_that_is_on_its_way(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_provider(ahead=3)
    provider.on_question = lambda number: number == B and monkeypatch.setattr(facts, "keep", _locked)
    with pytest.raises(StateError):
        list(ask(facts, clock, provider, [A, B, C]))
    assert provider.asked == [A, B]
    assert kept(provider.realm, "run-2") == {A: AnswerKind.KNOWN, B: AnswerKind.KNOWN}
    assert kept(asked_realm(provider), "run-2") == {}


def _locked(*_: Any) -> None:
    raise StateError("The state store does not work: database is locked.")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), MemoryError()])
def test_whatever_else_ends_a_run_leaves_the_marks_of_open_questions(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any, end: BaseException
) -> None:
    provider = make_provider(ahead=2, says={C: end})
    with pytest.raises(type(end)):
        list(ask(facts, clock, provider, [A, B, D, C]))
    assert kept(provider.realm) == {A: AnswerKind.KNOWN, B: AnswerKind.KNOWN}
    assert kept(asked_realm(provider), "run-2") == {C: AnswerKind.LOST, D: AnswerKind.LOST}


def test_a_run_that_stops_listening_leaves_the_marks_of_what_it_did_not_hear(
    facts: FactStore, kept: Any, clock: Any, make_provider: Any
) -> None:
    provider = make_provider(ahead=3)
    answers = ask(facts, clock, provider, [A, B, C, D])
    assert next(answers).e164 == C
    answers.close()
    assert kept(asked_realm(provider), "run-2") == {A: AnswerKind.LOST, B: AnswerKind.LOST}


def test_answers_may_come_in_any_order(facts: FactStore, kept: Any, clock: Any, make_provider: Any) -> None:
    provider = make_provider(ahead=3, says={B: UnreachableError("down")})
    with pytest.raises(UnreachableError):
        list(ask(facts, clock, provider, [A, B, C]))
    assert kept(provider.realm) == {C: AnswerKind.KNOWN}
    assert kept(asked_realm(provider)) == {}
