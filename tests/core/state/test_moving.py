"""Carrying a state store over: from one engine to the other and back, all of it or nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import BusyError, ErrorCode, StateError, UsageError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change, FieldChange
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state import moving, schema
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import list_orgs, register_org
from ringfence.core.state.holdings import Holding
from ringfence.core.state.journal import Journal, read_changes
from ringfence.core.state.leases import Holder, take_lease, this_process
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.moving import move_store
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.pending import Pending, PendingReason, PendingRow
from ringfence.core.state.store import open_store
from testkit.clock import SetClock
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer

NUMBER, AUTHOR = "+14155550132", "ann@desk"
CHANGE = Change.of("people", "p1", (FieldChange("phone", "(415) 555-0132", NUMBER),))


@pytest.fixture
def filled(tmp_path: Path, clock: SetClock) -> str:
    """Give the URL of an SQLite store that holds something of each kind."""
    url = f"sqlite:///{tmp_path}/old.db"
    with closing(open_store(url, TEST_KEY)) as store:
        org_id = register_org(store, Org("memory", "1", "One", production=True))
        journal = Journal(store, "r1")
        journal.begin("memory", org_id, clock.now(), dry_run=False, options={})
        journal.plan_batch([CHANGE], clock.now())
        OptOutLedger(store, org_id, "r1", clock).record([Holding("people", f"p{i}", (NUMBER,), True) for i in range(9)])
        Pending(store, org_id, "r1").put(
            [PendingRow("people", "p1", PendingReason.FAILED, "RULE", "n\x00o")], clock.now()
        )
        LookupCache(store, "r1").keep("twilio", [Answer(NUMBER, AnswerKind.KNOWN, clock.now(), Validity.VALID)])
        take_lease(store, org_id, "r1", clock.now(), Holder("gone.example", 1, "1"))
    clock.advance(hours=1)
    return url


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of an empty database on the server."""
    with postgres.database() as url:
        yield url


def move(source: str, to: str, clock: SetClock) -> Any:
    with closing(open_store(source, TEST_KEY)) as store:
        return move_store(store, to, AUTHOR, clock.now(), ready=lambda: None, tell=lambda _table, _rows: None)


def content(url: str) -> dict[str, list[Any]]:
    """Return every row of every table that is carried over, sorted; not the audit log, which tells of the moves."""
    with closing(open_store(url, TEST_KEY)) as store, store.transaction() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(sa.select(table)))
            for table in schema.metadata.sorted_tables
            if table not in (*moving.OF_THE_MOMENT, schema.audit, schema.secrets)
        }


def test_a_store_is_the_same_on_the_other_engine_and_back(
    filled: str, empty: str, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "ROWS", 4)
    before = content(filled)

    there = move(filled, empty, clock)
    on_server = content(empty)
    back = move(empty, f"sqlite:///{tmp_path}/back.db", clock)

    assert (there.pop("audit"), back.pop("audit")) == (1, 2)
    assert there == back
    assert there.pop("secrets") == 2
    assert there["holdings"] == there["opt_out_flags"] == 9
    assert {name: len(rows) for name, rows in before.items()} == dict(there)
    assert content(f"sqlite:///{tmp_path}/back.db") == on_server
    with closing(open_store(f"sqlite:///{tmp_path}/back.db", TEST_KEY)) as store:
        assert [row.change for row in read_changes(store, "r1")] == [CHANGE]


def test_orgs_that_come_later_get_ids_of_their_own(filled: str, empty: str, clock: SetClock) -> None:
    move(filled, empty, clock)

    with closing(open_store(empty, TEST_KEY)) as store:
        register_org(store, Org("memory", "2", "Two", production=False))
        assert [org_id for org_id, _ in sorted(list_orgs(store))] == [1, 2]


def test_entries_that_come_later_get_ids_of_their_own(filled: str, empty: str, clock: SetClock) -> None:
    entry = NewEntry(NUMBER, BlockKind.COMPLAINT, Channel.ALL, BlockSource.PERSON, "asked", AUTHOR, clock.now())
    with closing(open_store(filled, TEST_KEY)) as store, store.transaction() as connection:
        first = Blocks(store.keyring, "").add(connection, entry)
    move(filled, empty, clock)

    with closing(open_store(empty, TEST_KEY)) as store, store.transaction() as connection:
        assert Blocks(store.keyring, "").add(connection, entry).id == first.id + 1


def test_the_old_store_says_where_it_went_to_whoever_opens_it_or_has_it_open(
    filled: str, empty: str, clock: SetClock
) -> None:
    with closing(open_store(filled, TEST_KEY)) as open_before:
        move(filled, empty, clock)

        with pytest.raises(StateError) as opened:
            open_store(filled, TEST_KEY)
        with pytest.raises(StateError) as begun:
            take_lease(open_before, 1, "r2", clock.now(), Holder("here", 1, "1"))

    assert opened.value.code is begun.value.code is ErrorCode.STATE_MOVED
    assert sa.make_url(empty).database in opened.value.message
    assert opened.value.exit_code == 2


def test_a_target_that_holds_anything_stays_as_it_is(filled: str, postgres: PostgresServer, clock: SetClock) -> None:
    with postgres.database(EMPTY_STORE) as used:
        before = content(used)

        with pytest.raises(UsageError, match="is not empty") as caught:
            move(filled, used, clock)

        assert caught.value.exit_code == 2
        assert content(used) == before
    assert content(filled)["orgs"]


def test_nothing_is_moved_while_a_run_is_at_work(filled: str, empty: str, clock: SetClock) -> None:
    with closing(open_store(filled, TEST_KEY)) as store:
        take_lease(store, 1, "works", clock.now(), Holder("elsewhere.example", 1, "1"))

    with pytest.raises(BusyError, match="works"):
        move(filled, empty, clock)

    assert content(filled)["orgs"]


def test_nothing_is_moved_while_a_file_is_screened(filled: str, empty: str, clock: SetClock) -> None:
    with closing(open_store(filled, TEST_KEY)) as store:
        screening = Journal(store, "screens")
        screening.begin("screen", None, clock.now(), dry_run=False, options={})

        with pytest.raises(BusyError, match="screens"):
            move(filled, empty, clock)
        screening.end(clock.now(), RunOutcome.DONE, {}, None)

    assert move(filled, empty, clock)["runs"] == 2


def test_a_screening_whose_process_has_died_keeps_nothing_from_moving(
    filled: str, empty: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Holder(this_process().host, 2**22 + 1, "1")
    with closing(open_store(filled, TEST_KEY)) as store:
        monkeypatch.setattr("ringfence.core.state.journal.this_process", lambda: gone)
        Journal(store, "killed").begin("screen", None, clock.now(), dry_run=False, options={})

    assert move(filled, empty, clock)["runs"] == 2


def test_a_screening_that_begins_on_a_store_that_was_moved_buys_nothing(
    filled: str, empty: str, clock: SetClock
) -> None:
    with closing(open_store(filled, TEST_KEY)) as open_before:
        move(filled, empty, clock)

        with pytest.raises(StateError) as begun:
            Journal(open_before, "late").begin("screen", None, clock.now(), dry_run=False, options={})

    assert begun.value.code is ErrorCode.STATE_MOVED


def test_a_tick_is_started_no_second_time_and_forgets_the_job_that_stays_behind(
    filled: str, empty: str, clock: SetClock
) -> None:
    tick = {"name": "nightly", "due_at": clock.now(), "outcome": "started", "rule": "r"}
    with closing(open_store(filled, TEST_KEY)) as store, store.transaction() as connection:
        connection.execute(sa.insert(schema.ticks).values(**tick, job_id="7", ends_at=clock.now()))

    move(filled, empty, clock)

    with closing(open_store(empty, TEST_KEY)) as store, store.transaction() as connection:
        (kept,) = connection.execute(sa.select(schema.ticks)).mappings()
    assert dict(kept) == {**tick, "job_id": None, "ends_at": None}


DIE = """
import os, sys
from datetime import UTC, datetime
from ringfence.core.state.moving import move_store
from ringfence.core.state.store import open_store

source, to, key = sys.argv[1:]
die = lambda table, _rows: os._exit(9) if table == "holdings" else None
move_store(open_store(source, key), to, "ann@desk", datetime.now(UTC), ready=lambda: None, tell=die)
"""


def test_a_move_whose_process_is_killed_half_way_has_moved_nothing(filled: str, empty: str, clock: SetClock) -> None:
    before = content(filled)

    died = subprocess.run([sys.executable, "-c", DIE, filled, empty, TEST_KEY], check=False)

    assert died.returncode == 9
    assert content(filled) == before
    assert move(filled, empty, clock)["holdings"] == 9


def test_what_does_not_arrive_as_it_was_moves_nothing(
    filled: str, empty: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = moving._write

    def lose(connection: sa.Connection, table: sa.Table, rows: Any) -> None:
        write(connection, table, rows[1:] if table is schema.holdings else rows)

    with monkeypatch.context() as faulty:
        faulty.setattr(moving, "_write", lose)
        with pytest.raises(StateError, match="holdings did not arrive"):
            move(filled, empty, clock)

    assert move(filled, empty, clock)["holdings"] == 9


def test_a_fault_of_the_key_file_moves_nothing(filled: str, tmp_path: Path, clock: SetClock) -> None:
    def fail() -> None:
        raise OSError("disk full")

    with closing(open_store(filled, TEST_KEY)) as store, pytest.raises(OSError, match="disk full"):
        move_store(
            store, f"sqlite:///{tmp_path}/new.db", AUTHOR, clock.now(), ready=fail, tell=lambda _table, _rows: None
        )

    assert move(filled, f"sqlite:///{tmp_path}/new.db", clock)["holdings"] == 9
