"""Opening a state store; what a transaction and a rehearsal leave; faults in plain words."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import ErrorCode, SettingsError, StateError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.cursors import Cursors, register_org
from ringfence.core.state.store import Store, open_store
from testkit.postgres import key_of

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ORG = Org("memory", "1", "One", production=False)
FLAGS = (OptOutFlag("optout", (True,)),)
SHAPES = {name: ObjectShape(name, (Slot("phone", {}),), FLAGS) for name in ("people", "firms")}

ON_SQLITE = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


def url(path: Path) -> str:
    return f"sqlite:///{path}/state.db"


@pytest.mark.parametrize("damage", ["no database", "cut", "overwritten"])
def test_a_damaged_file_is_named_with_what_helps(tmp_path: Path, damage: str) -> None:
    opened = open_store(url(tmp_path))
    register_org(opened, ORG)
    opened.close()
    path = tmp_path / "state.db"
    data = path.read_bytes()
    spoilt = {"no database": b"no database " * 999, "cut": data[:5000], "overwritten": data[:200] + b"\x55" * 60_000}

    path.write_bytes(spoilt[damage])

    with pytest.raises(StateError) as caught:
        register_org(open_store(url(tmp_path)), ORG)
    assert "state.db" in caught.value.message
    assert caught.value.remedy
    assert "SELECT" not in str(caught.value)
    assert path.read_bytes() == spoilt[damage]


@pytest.mark.parametrize("wrong", ["nonsense", "sqlit:///x.db", "sqlite:/x.db:://", "", "mysql://root@localhost/x"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="usable SQLAlchemy URL") as caught:
        open_store(wrong)
    assert caught.value.code is ErrorCode.STATE_URL_MALFORMED


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="folder of the state store does not exist") as caught:
        open_store(url(tmp_path / "absent"))
    assert str(tmp_path / "absent") in caught.value.message


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no mode bits keep out.
    monkeypatch.setattr("ringfence.core.state.engine.os.access", lambda *_: False)

    with pytest.raises(StateError, match="is read-only"):
        open_store(url(tmp_path))
    assert not (tmp_path / "state.db").exists()


@ON_SQLITE
def test_a_full_disk_is_named_without_the_statement_and_loses_nothing(store: Store) -> None:
    org_id = register_org(store, ORG)
    cursors = Cursors(store, org_id, SHAPES)
    cursors.move({"people": "before"}, NOW)
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill(dbapi_connection: Any, *_: Any) -> None:
        dbapi_connection.execute(f"PRAGMA max_page_count={pages}")

    sa.event.listen(store.engine, "checkout", fill)
    with pytest.raises(StateError) as caught:
        cursors.move({"people": "x" * 1_000_000}, NOW)
    assert "full" in caught.value.message
    assert "disk" in caught.value.remedy
    assert "INSERT" not in str(caught.value)
    assert cursors.read() == {"people": "before"}


def test_an_error_in_a_transaction_undoes_all_of_it(store: Store) -> None:
    def write_and_fail() -> None:
        with store.transaction() as connection:
            connection.execute(sa.insert(schema.secrets).values(name="other", value=b"x"))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_and_fail()
    with store.transaction() as connection:
        assert connection.scalars(sa.select(schema.secrets.c.name)).all() == ["hash-key"]


@ON_SQLITE
@pytest.mark.parametrize("many", [True, False])
def test_ctrl_c_within_a_statement_leaves_the_store_to_whoever_writes_next(store: Store, many: bool) -> None:
    def press(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
        raise KeyboardInterrupt

    listener = (store.engine, "do_executemany" if many else "do_execute", press)
    rows = [(f"name {number}", b"") for number in range(2)]
    sa.event.listen(*listener)
    with pytest.raises(KeyboardInterrupt) as caught, store.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO secrets (name, value) VALUES (?, ?)", rows if many else rows[0])
    sa.event.remove(*listener)
    with closing(sqlite3.connect(str(store.engine.url.database), timeout=0)) as another:
        # The traceback, which is alive until the run has ended, holds what the statement was.
        assert caught.tb
        another.execute("INSERT INTO secrets (name, value) VALUES ('another', x'')")
        another.rollback()
    with store.transaction() as connection:
        assert connection.scalars(sa.select(schema.secrets.c.name)).all() == ["hash-key"]
        connection.execute(sa.insert(schema.secrets).values(name="next", value=b""))


@pytest.fixture
def beside(state_url: str) -> Iterator[Store]:
    """The same store as another process opens it."""
    opened = open_store(state_url, key_of(state_url))
    yield opened
    opened.close()


def test_a_rehearsal_sees_its_own_writes_keeps_nobody_waiting_and_leaves_nothing(store: Store, beside: Store) -> None:
    org_id = register_org(store, ORG)
    cursors, theirs = Cursors(store, org_id, SHAPES), Cursors(beside, org_id, SHAPES)
    cursors.move({"people": "before"}, NOW)

    with store.rehearsal() as rehearsed:
        inside = Cursors(rehearsed, org_id, SHAPES)
        inside.move({"people": "rehearsed"}, NOW)
        theirs.move({"firms": "written meanwhile"}, NOW)

        assert inside.read() == {"people": "rehearsed"}
        assert cursors.read() == theirs.read() == {"people": "before", "firms": "written meanwhile"}
    assert cursors.read() == theirs.read() == {"people": "before", "firms": "written meanwhile"}


@ON_SQLITE
def test_the_copy_that_a_rehearsal_works_on_is_gone_afterwards(store: Store) -> None:
    with store.rehearsal() as rehearsed:
        copy = Path(str(rehearsed.engine.url.database))
        assert copy.exists()
        assert rehearsed.keyring is store.keyring

    assert not copy.parent.exists()


def test_a_rehearsal_reads_what_it_has_written_and_leaves_the_store_as_it_was(store: Store) -> None:
    org_id = register_org(store, ORG)
    cursors = Cursors(store, org_id, SHAPES)
    cursors.move({"people": "before"}, NOW)

    with store.rehearsal() as copy:
        rehearsed = Cursors(copy, org_id, SHAPES)
        rehearsed.move({"people": "rehearsed"}, NOW)
        seen = rehearsed.read()

    assert seen == {"people": "rehearsed"}
    assert cursors.read() == {"people": "before"}


@ON_SQLITE
def test_a_rehearsal_without_room_for_its_copy_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect_small(path: Path) -> sqlite3.Connection:
        connection = sqlite3.dbapi2.connect(path)
        connection.execute("PRAGMA max_page_count = 3")
        return connection

    with monkeypatch.context() as full:
        full.setattr(sqlite3, "connect", connect_small)
        with pytest.raises(StateError, match="disk is full") as caught, store.rehearsal():
            pytest.fail("there is nothing to rehearse on")
    assert caught.value.code is ErrorCode.STATE_COPY_FAILED
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(StateError, match="/nowhere"), store.rehearsal():
        pytest.fail("there is nothing to rehearse on")
    assert Cursors(store, register_org(store, ORG), SHAPES).read() == {}


def test_stores_opened_at_once_make_one_store(tmp_path: Path) -> None:
    ready, keys, lock = threading.Barrier(6), [], threading.Lock()

    def start() -> None:
        ready.wait()
        opened = open_store(url(tmp_path))
        with lock:
            keys.append(opened.keyring.number_key("+14155550132"))
        opened.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(keys) == 6
    assert len(set(keys)) == 1
