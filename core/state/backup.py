"""Back-ups of the state: a copy of one moment, sealed into a file and looked at before it counts; and the way back.

What is in the file is an SQLite database, whatever engine the state is on: so it comes back on either.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine, delete, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from ..errors import BusyError, ErrorCode, FileError, StateError, UsageError
from . import schema
from .audit import Act, AuditLog
from .damage import find_check, refuse_damaged
from .engine import make_engine, translated
from .erased_since import ErasuresDone, erase_again, read_erasures
from .keyring import EncryptionKeys, Keyring, unwrap_by_either
from .leases import is_held, this_process
from .liveness import find_screening
from .moving import OF_THE_MOMENT, copy_all
from .postgres import connect, is_postgres, lock_tables
from .private_files import create_empty
from .schema_version import HEAD, bring_up_to_date, refuse_newer
from .sealed_file import FRAME_BYTES, SealedReader, SealingWriter
from .sql import moment
from .store import Store, locked, read_wrapped_key

FORMAT = 1
_KIND = "ringfence_backup"
_PAGES = 2_000

_OF_OTHERS = (schema.workers, schema.jobs, schema.job_notes)
"""What a server goes on with after a back-up was put back: its workers, and the jobs of its own engine."""

Tell = Callable[[int, int], None]
"""Is told how much is done of how much."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What is in a back-up: rows by table, the bytes of its database, the id of its key, and when it was made (UTC).

    ``broken_at`` is where its audit log is not as it was written; None: nowhere.
    """

    rows: dict[str, int]
    size: int
    key: str
    made_at: str
    broken_at: int | None


def copy_state(store: Store, target: Path) -> None:
    """Copy what the store holds at one moment into a new SQLite file, while others go on writing."""
    if is_postgres(store.engine.url):
        _copy_server(store, target)
    else:
        with translated(store.engine.url), closing(store.engine.raw_connection()) as source:
            _copy_pages(source.driver_connection, target)

    with closing(sqlite3.connect(target)) as copy, copy:
        for table in OF_THE_MOMENT:  # processes that will be gone, and jobs that belong to the engine
            copy.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our schema
        copy.execute("UPDATE ticks SET job_id = NULL, ends_at = NULL")
        copy.execute("PRAGMA journal_mode = DELETE")


def _copy_pages(source: Any, target: Path) -> None:
    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy)  # in one step: in several it would begin anew whenever somebody writes between two


def _copy_server(store: Store, target: Path) -> None:
    engine = make_engine(f"sqlite:///{target}")
    try:
        bring_up_to_date(engine)
        with store.transaction() as source, connect(engine) as copy, copy.begin():
            source.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            copy_all(source, copy, lambda _table, _rows: None)
    finally:
        engine.dispose()


def seal_copy(copy: Path, file: BinaryIO, keys: EncryptionKeys, keyring: Keyring, made_at: datetime) -> None:
    """Seal a copy of the state into the file, which is open for reading and writing."""
    head = {_KIND: FORMAT, "schema": HEAD, "key": keyring.key_id, "state": keyring.name, "made_at": made_at.isoformat()}
    digest, size = hashlib.sha256(), 0
    writer = SealingWriter(file, keys.present, head)
    with copy.open("rb") as source:
        while piece := source.read(FRAME_BYTES):
            writer.write(piece)
            digest.update(piece)
            size += len(piece)
    writer.finish({"rows": count_rows_of(copy), "size": size, "sha256": digest.hexdigest()})
    os.fsync(file.fileno())


def unseal_copy(file: BinaryIO, keys: EncryptionKeys, target: Path, name: str) -> BackedUp:
    """Take the database out of a back-up into a new file, and look at it: all pieces, its structure, rows, audit log.

    Raises FileError where the file is not as it was written, and StateError where it is of a newer version.
    """
    reader = SealedReader(file, keys.present, name)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        for piece in reader.pieces():
            out.write(piece)
            digest.update(piece)
            size += len(piece)
    known = reader.known
    refuse_newer(str(reader.head["schema"]))
    with closing(sqlite3.connect(target)) as copy:
        (structure,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if digest.hexdigest() != known["sha256"] or structure != "ok" or count_rows_of(target) != known["rows"]:
        raise FileError(f"{name} does not hold what was put into it. Nothing was changed.", "Take another copy of it.")

    with _opened(target, keys) as store, store.transaction() as connection:
        found = AuditLog(store.keyring).verify(connection)
    return BackedUp(known["rows"], size, reader.head["key"], reader.head["made_at"], found.broken_at)


def count_rows_of(path: Path) -> dict[str, int]:
    """Return the rows of each table of a copy."""
    with closing(sqlite3.connect(path)) as copy:
        names = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        ours = [name for name in names if not name.startswith(("sqlite_", "alembic_"))]
        return {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ours}  # noqa: S608 - names of our schema


@contextmanager
def _opened(path: Path, keys: EncryptionKeys) -> Iterator[Store]:
    """Yield a store over a copy, brought up to date."""
    engine = make_engine(f"sqlite:///{path}")
    try:
        bring_up_to_date(engine)
        hash_key = unwrap_by_either(keys, read_wrapped_key(engine) or b"")
        yield Store(engine, Keyring(keys.present, hash_key, keys.old))
    finally:
        engine.dispose()


def put_back(copy: Path, keys: EncryptionKeys, to: str, act: Act, *, replace: bool, tell: Tell) -> int:
    """Put a copy that was looked at in the place of what the store at the URL holds: all of it, or nothing is changed.

    The act is entered into its audit log. What was erased from the replaced store is erased from the copy first;
    returned is how many numbers cannot be, since the copy is of another state. Raises UsageError where the store holds
    anything, unless to ``replace`` it, and BusyError while a run is at work on it.
    """
    with _opened(copy, keys) as store, store.transaction() as connection:
        AuditLog(store.keyring).append(connection, act)

    engine = make_engine(to)
    try:
        with translated(engine.url), locked(engine.url):
            if is_postgres(engine.url):
                return _put_on_server(copy, keys, engine, act.at, replace=replace)
            return _put_in_file(copy, keys, engine, act.at, replace=replace, tell=tell)
    finally:
        engine.dispose()


def _put_in_file(copy: Path, keys: EncryptionKeys, engine: Engine, now: datetime, *, replace: bool, tell: Tell) -> int:
    if replace:
        _set_damaged_aside(engine, now)
    with engine.connect() as connection:
        _refuse_used(connection, now, replace=replace)
        strangers = _keep_erased(copy, keys, read_erasures(connection, keys))
    # One transaction: whoever dies within it leaves the file as it was.
    with closing(sqlite3.connect(copy)) as source, closing(engine.raw_connection()) as target:
        driver: Any = target.driver_connection
        source.backup(driver, pages=_PAGES, progress=lambda _status, left, total: tell(total - left, total))
    return strangers


def _keep_erased(copy: Path, keys: EncryptionKeys, done: ErasuresDone) -> int:
    with _opened(copy, keys) as store:
        return erase_again(store, done, unwrap_by_either(keys, read_wrapped_key(store.engine) or b""))


def _set_damaged_aside(engine: Engine, now: datetime) -> None:
    """Give a file that is damaged, or no database, another name: nothing can be put into it."""
    try:
        if check := find_check(engine.url):
            refuse_damaged(engine, check)
    except (StateError, DBAPIError):
        engine.dispose()
        path = Path(str(engine.url.database))
        for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if each.exists():
                each.replace(each.with_name(f"{each.name}.damaged-{now:%Y%m%dT%H%M%S}"))
        create_empty(path)


def _put_on_server(copy: Path, keys: EncryptionKeys, engine: Engine, now: datetime, *, replace: bool) -> int:
    bring_up_to_date(engine)
    source = make_engine(f"sqlite:///{copy}")
    try:
        with connect(engine) as new, new.begin():
            lock_tables(new, schema.metadata.sorted_tables)
            _refuse_used(new, now, replace=replace)
            strangers = _keep_erased(copy, keys, read_erasures(new, keys))
            for table in reversed(schema.metadata.sorted_tables):
                if table not in _OF_OTHERS:
                    new.execute(delete(table))
            with source.connect() as old:
                copy_all(old, new, lambda _table, _rows: None)
    finally:
        source.dispose()
    return strangers


def _refuse_used(connection: Connection, now: datetime, *, replace: bool) -> None:
    there = set(inspect(connection).get_table_names())
    if not replace and (used := _find_used(connection, there)):
        where = connection.engine.url.render_as_string(hide_password=True)
        raise UsageError(
            f"The state store {where} holds something, such as rows of {used}. Nothing was changed.",
            code=ErrorCode.STATE_HOLDS_SOMETHING,
        )
    if schema.leases.name in there and schema.runs.name in there:
        _refuse_busy(connection, moment(connection, now))


def _find_used(connection: Connection, there: set[str]) -> str | None:
    """Return a table that holds anything but the keys of a store that was never used."""
    for table in schema.metadata.sorted_tables:
        is_asked = table is not schema.secrets and table.name in there
        if is_asked and connection.scalar(select(func.count()).select_from(table)):
            return table.name
    return None


def _refuse_busy(connection: Connection, now: datetime) -> None:
    held = [row.run_id for row in connection.execute(select(schema.leases)) if is_held(row, this_process(), now)]
    if screening := find_screening(connection, now):
        held.append(screening.id)
    if held:
        raise BusyError(f"Run {held[0]} is at work on the state store. Nothing was changed.", "Wait for it, or end it.")
