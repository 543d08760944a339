"""Checks that somebody asked for, in the state: each number once, until a provider was asked about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from ringfence.core.state.asked_checks import (
    ask_checks,
    find_asked,
    find_waiting,
    forget_asked,
    forget_check,
    list_asked,
    note_tried,
    settle_checks,
)
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.stores import all_that_is_kept

FIRST, SECOND, THIRD = "+12127365401", "+12127365402", "+12127365403"


def ask(store: Store, clock: SetClock, *numbers: str) -> None:
    with store.transaction() as connection:
        ask_checks(connection, store.keyring, numbers, clock.now())
    clock.advance(seconds=1)


def left(store: Store, limit: int = 10, *, again: bool = False) -> list[str]:
    with store.transaction() as connection:
        return list_asked(connection, store.keyring, limit, again=again)


def done(store: Store, act: Callable[[Connection], object]) -> object:
    with store.transaction() as connection:
        return act(connection)


def test_each_number_waits_once_and_the_oldest_comes_first(store: Store, clock: SetClock) -> None:
    ask(store, clock, SECOND, SECOND)
    ask(store, clock, FIRST)
    ask(store, clock, THIRD)

    assert left(store) == [SECOND, FIRST, THIRD]
    assert left(store, 2) == [SECOND, FIRST]
    ask(store, clock, SECOND)
    assert left(store) == [FIRST, THIRD, SECOND]


def test_what_was_tried_in_vain_waits_apart_and_begins_anew_when_it_is_asked_again(
    store: Store, clock: SetClock
) -> None:
    ask(store, clock, FIRST, SECOND)
    keyring = store.keyring

    assert done(store, lambda connection: note_tried(connection, keyring, [FIRST])) == 1
    assert done(store, lambda connection: note_tried(connection, keyring, [FIRST])) == 2
    assert (left(store), left(store, again=True)) == ([SECOND], [FIRST])
    assert done(store, lambda connection: find_waiting(connection, keyring, [FIRST, SECOND, THIRD])) == {
        FIRST: 2,
        SECOND: 0,
    }

    ask(store, clock, FIRST)
    assert left(store, again=True) == []
    done(store, lambda connection: settle_checks(connection, keyring, [FIRST, SECOND, THIRD]))
    assert left(store) == []
    assert done(store, lambda connection: note_tried(connection, keyring, [FIRST])) == 0


def test_what_nobody_waits_for_any_more_is_forgotten(store: Store, clock: SetClock) -> None:
    ask(store, clock, FIRST)
    clock.advance(seconds=60)
    ask(store, clock, SECOND)

    before = clock.now() - timedelta(seconds=30)
    assert done(store, lambda connection: forget_asked(connection, before)) == 1
    assert left(store) == [SECOND]


def test_one_number_is_found_and_forgotten(store: Store, clock: SetClock) -> None:
    at = clock.now()
    ask(store, clock, FIRST)
    key = store.keyring.number_key(FIRST)

    assert done(store, lambda connection: find_asked(connection, key)) == at
    assert done(store, lambda connection: forget_check(connection, key)) == 1
    assert done(store, lambda connection: forget_check(connection, key)) == 0
    assert done(store, lambda connection: find_asked(connection, key)) is None


def test_no_number_is_kept_in_the_clear(store: Store, clock: SetClock, tmp_path: Path) -> None:
    ask(store, clock, FIRST)

    assert FIRST[1:].encode() not in all_that_is_kept(store, tmp_path)
