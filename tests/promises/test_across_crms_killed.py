"""Killed anywhere while opt-outs go from one account to another, and run again: the end state of an unbroken run."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ringfence.core.model.values import Change, RowResult
from ringfence.core.runs.opt_outs import take_in_account
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.living_state import FileState
from testkit.living_world import KEY, Killed
from testkit.two_accounts import Accounts

CALLED, LISTED, FREED = "+1 415 555 0132", "+1 415 555 0133", "+1 415 555 0134"
FIRST, STRIDE = 3, 11

pytestmark = pytest.mark.slow


class Death:
    """Ends the process at its so-maniest step, a transaction or a write, before or after that takes effect."""

    def __init__(self, state: FileState, at: int) -> None:
        self.state, self.left, self.steps, self.is_dead = state, at, 0, False

    def step(self, store: Store) -> None:
        if self.is_dead:
            raise Killed
        self.steps += 1
        if self.steps == self.left:
            self.is_dead = True
            self.state.die(store)
            raise Killed


class DyingStore(Store):
    death: Death

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.death.step(self)
        with super().transaction() as connection:
            yield connection
        self.death.step(self)


def prepare(store: Store, clock: SetClock) -> Accounts:
    """Return two synced accounts with an opt-out to carry, an entry to enforce, and one that was lifted meanwhile."""
    made = Accounts(store, clock)
    for name, holders in (("hub", 1), ("force", 3)):
        crm = made.open(name)
        for number, place in ((CALLED, "called"), (LISTED, "listed"), (FREED, "freed")):
            for each in range(holders + (place == "freed") * 3):
                crm.put("people", f"{place}{each}", phone=number)
    entry = made.add("+14155550134")
    made.sync_all()
    made.crms["hub"].put("people", "called0", optout=True)
    made.lift(entry)
    made.add("+14155550133")
    return made


def carry_on(accounts: Accounts) -> None:
    accounts.clock.advance(seconds=10)
    for name in accounts.crms:
        take_in_account(accounts.job(name))
    accounts.sync_all()


def told(accounts: Accounts) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (name, id_): (row.get("optout"), row["rf_phone_status"], row["rf_phone_reason"])
        for name, crm in accounts.crms.items()
        for id_, row in crm.rows["people"].items()
    }


def alike(accounts: Accounts, store: Store, now: datetime) -> Accounts:
    """Return accounts that hold what these do, over another store and at another time."""
    made = Accounts(store, SetClock(now))
    for name, crm in accounts.crms.items():
        other = made.open(name)
        other.rows, other.modified = copy.deepcopy((crm.rows, crm.modified))
    return made


def die_at(accounts: Accounts, death: Death) -> None:
    """Let the process that works on these accounts die there."""
    store = DyingStore(accounts.store.engine, accounts.store.keyring)
    store.death = death
    accounts.store = store
    for crm in accounts.crms.values():

        def dying(changes: Sequence[Change], write: Any = crm.write) -> list[RowResult]:
            death.step(store)
            results: list[RowResult] = write(changes)
            death.step(store)
            return results

        crm.write = dying  # type: ignore[method-assign]  # what a kill does to a CRM is seen here alone


def test_killed_anywhere_between_two_accounts_the_end_state_is_the_same(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 'empty.db'}", KEY).close()
    empty = FileState(tmp_path / "empty.db")
    store = empty.open_new()
    prepared = prepare(store, SetClock())
    empty.die(store)
    now, state = prepared.clock.now(), FileState((tmp_path / "state.db.left").rename(tmp_path / "prepared.db"))
    unbroken = alike(prepared, store, now)
    carry_on(unbroken)
    store.close()

    at, is_dead = FIRST, True
    while is_dead:
        store, death = state.open_new(), Death(state, at)
        accounts = alike(prepared, store, now)
        die_at(accounts, death)
        with suppress(Killed):
            carry_on(accounts)
        store.close()
        is_dead = death.is_dead
        if is_dead:
            store = state.open_left()
            accounts = alike(accounts, store, accounts.clock.now())
            carry_on(accounts)
            assert told(accounts) == told(unbroken), f"killed at step {at}"
            assert sum(each.total("written") for each in accounts.sync_all().values()) == 0
            store.close()
        at += STRIDE
    assert at > 10 * STRIDE
