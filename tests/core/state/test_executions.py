"""Executions of workflow actions in the state: on record once, answered, completed, forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.erased import mark_erased
from ringfence.core.state.executions import (
    Executions,
    ExecutionState,
    find_executions,
    forget_in_executions,
    forget_under,
    list_orgs_with_waiting,
)
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER, OTHER = "+14155550132", "+14155550199"
ASKED = {"phone": "(415) 555-0132", "country": "US", "write_back": False}
ANSWER = {"number": NUMBER, "status": "active"}


@pytest.fixture
def org_id(store: Store) -> int:
    return register_org(store, Org("hubspot", "1", "One", production=False))


@pytest.fixture
def executions(store: Store, org_id: int) -> Executions:
    return Executions(store.keyring, org_id)


def accept(
    store: Store, executions: Executions, clock: SetClock, callback: str, phone: str = "", to: str = NUMBER
) -> bool:
    asked = {**ASKED, "phone": phone or ASKED["phone"]}
    with store.transaction() as connection:
        return executions.accept(connection, callback, asked, to, clock.now(), clock.now() + timedelta(days=3))


def test_the_same_id_is_accepted_once(store: Store, executions: Executions, clock: SetClock) -> None:
    assert accept(store, executions, clock, "ap-1")
    assert not accept(store, executions, clock, "ap-1", "another")

    with store.transaction() as connection:
        assert not executions.note_answered(connection, "ap-1", ANSWER, NUMBER, clock.now())
        found = executions.find(connection, "ap-1")
        assert executions.find(connection, "ap-2") is None
        assert list_orgs_with_waiting(connection, clock.now()) == ["hubspot:1"]
        assert not list_orgs_with_waiting(connection, clock.now() - timedelta(seconds=1))

    assert found is not None
    assert (found.state, found.waits, found.asked, found.answer) == (ExecutionState.ACCEPTED, True, ASKED, None)


def test_what_was_asked_is_gone_once_there_is_an_answer(store: Store, executions: Executions, clock: SetClock) -> None:
    for callback in ("ap-1", "ap-2", "ap-3"):
        accept(store, executions, clock, callback)

    with store.transaction() as connection:
        first, second, third = executions.list_due(connection, clock.now(), 10)
        executions.answer(connection, first, ANSWER)
        executions.begin_call(connection, [first.id], clock.now())
        executions.end(connection, [second.id], ExecutionState.EXPIRED, clock.now(), "gone")
        executions.answer(connection, second, ANSWER)

    with store.transaction() as connection:
        assert [each.callback_id for each in executions.list_due(connection, clock.now(), 10)] == ["ap-1", "ap-3"]
        executions.put_off(connection, third, clock.now() + timedelta(seconds=30))
        assert [each.callback_id for each in executions.list_due(connection, clock.now(), 10)] == ["ap-1"]
        assert executions.find_next_turn(connection) == clock.now() + timedelta(seconds=30)
        executions.put_off(connection, first, clock.now() + timedelta(seconds=30))
        assert not list_orgs_with_waiting(connection, clock.now()), "what was put off has its time"
        assert list_orgs_with_waiting(connection, clock.now() + timedelta(seconds=30)) == ["hubspot:1"]
        executions.end_call(connection, [second.id])
        assert executions.count_waiting(connection) == 2
        answered = executions.find(connection, "ap-1")
        over = executions.find(connection, "ap-2")

    assert answered is not None
    assert (answered.state, answered.was_called, answered.asked, answered.answer) == (
        ExecutionState.ANSWERED,
        True,
        {},
        ANSWER,
    )
    assert third.was_called is False
    assert over is not None
    assert (over.state, over.waits, over.answer) == (ExecutionState.EXPIRED, False, None)


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(
    store: Store, executions: Executions, clock: SetClock
) -> None:
    accept(store, executions, clock, "ap-1")
    with store.transaction() as connection:
        executions.note_answered(connection, "ap-2", ANSWER, NUMBER, clock.now())
    clock.advance(days=40)

    with store.transaction() as connection:
        assert executions.forget_old(connection, clock.now() - timedelta(days=30)) == 1
        assert executions.find(connection, "ap-1") is not None
        assert executions.find(connection, "ap-2") is None


def test_orgs_are_kept_apart(store: Store, executions: Executions, clock: SetClock) -> None:
    other = Executions(store.keyring, register_org(store, Org("hubspot", "2", "Two", production=False)))
    accept(store, executions, clock, "ap-1")

    with store.transaction() as connection:
        assert other.find(connection, "ap-1") is None
        assert other.list_due(connection, clock.now(), 10) == []
    assert accept(store, other, clock, "ap-1"), "ids are each org's own"


def test_an_erased_number_is_in_no_execution_and_what_waits_stays(
    store: Store, executions: Executions, clock: SetClock
) -> None:
    accept(store, executions, clock, "ap-waits")
    accept(store, executions, clock, "ap-among", phone=f"{OTHER} / {NUMBER}", to=OTHER)
    accept(store, executions, clock, "ap-other", phone=OTHER, to=OTHER)
    with store.transaction() as connection:
        executions.note_answered(connection, "ap-over", ANSWER, NUMBER, clock.now())
        assert [row.org for row in find_executions(connection, store.keyring, NUMBER)] == ["hubspot:1"] * 2
        mark_erased(connection, store.keyring, NUMBER, clock.now())
        assert forget_in_executions(connection, store.keyring, NUMBER) == 3

    with store.transaction() as connection:
        assert find_executions(connection, store.keyring, NUMBER) == []
        found = {each.callback_id: each for each in executions.list_due(connection, clock.now(), 10)}
        assert {name: each.asked["phone"] for name, each in found.items()} == {
            "ap-waits": "",
            "ap-among": "",
            "ap-other": OTHER,
        }
        over = executions.find(connection, "ap-over")
        assert over is not None
        assert (over.answer, over.state) == (None, ExecutionState.COMPLETED)
        assert forget_under(connection, store.keyring, store.keyring.number_key(OTHER)) == 1
