"""Carrying a whole state store over to another engine, or another place: all of it or nothing, and verified."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, null, select

from ..errors import BusyError, StateError, UsageError
from . import schema
from .audit import Act, AuditAction, AuditLog
from .engine import make_engine, translated
from .leases import is_held, this_process
from .liveness import find_screening
from .postgres import connect, copy_rows, is_postgres, lock_tables
from .schema_version import bring_up_to_date
from .sql import moment
from .store import MOVED_TO, Store, locked

ROWS = 5_000
"""Rows in memory at once."""

OF_THE_MOMENT = (schema.leases, schema.workers, schema.jobs, schema.job_notes, schema.list_imports)
"""What stays behind: leases and workers are processes, and jobs belong to the engine that carries them out."""

_TABLES = [table for table in schema.metadata.sorted_tables if table not in OF_THE_MOMENT]
"""What is carried over."""

_LEFT_OUT = {schema.ticks.c.job_id, schema.ticks.c.ends_at}
"""What is carried over empty: under the id of a job that stays behind the new place may have another one."""

_DIGEST = 1 << 256


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many rows a table has, and a sum over the digests of all of them, in whatever order they come."""

    rows: int = 0
    digest: int = 0


def move_store(
    source: Store, to: str, author: str, now: datetime, *, ready: Callable[[], None], tell: Callable[[str, int], None]
) -> Counter[str]:
    """Carry all that the store holds over to the SQLAlchemy URL ``to``, and return the rows by table.

    ``author`` moves it, for the audit log, which goes along. ``ready`` is called once all is there and verified, before
    it counts; ``tell`` with each table and its rows. Afterwards the source says where it went, and is opened no more.
    Raises UsageError where the target holds anything, BusyError while a run is at work (``now`` is UTC), and StateError
    where the two differ in the end.
    """
    target = make_engine(to)
    try:
        with translated(target.url), locked(target.url):
            bring_up_to_date(target)
            with source.transaction() as old, connect(target) as new, new.begin():
                _refuse_used(new, target)
                _take_all(source, old, now, target)
                where = target.url.render_as_string(hide_password=True)
                AuditLog(source.keyring).append(old, Act(now, author, AuditAction.MOVE, f"to {where}"))
                moved = copy_all(old, new, tell)
                ready()
    finally:
        target.dispose()
    return moved


def _refuse_used(new: Connection, target: Engine) -> None:
    for table in schema.metadata.sorted_tables:
        if new.execute(select(table).limit(1)).first() is not None:
            where = target.url.render_as_string(hide_password=True)
            raise UsageError(f"The state store {where} is not empty.", "Name a new file, or an empty database.")


def _take_all(source: Store, old: Connection, now: datetime, target: Engine) -> None:
    """Keep everybody from changing what is copied, and mark the source as moved; it counts once this is committed."""
    if is_postgres(source.engine.url):
        lock_tables(old, schema.metadata.sorted_tables)
    where = target.url.render_as_string(hide_password=True)
    # On SQLite this first change is what makes others wait.
    old.execute(insert(schema.secrets).values(name=MOVED_TO, value=where.encode()))
    agreed = moment(old, now)

    leases = old.execute(select(schema.leases)).all()
    at_work = [lease.run_id for lease in leases if is_held(lease, this_process(), agreed)]
    if screening := find_screening(old, agreed):
        at_work.append(screening.id)
    if at_work:
        raise BusyError(f"Run {at_work[0]} is at work on the state store.", "Wait for it, or end it.")


def copy_all(old: Connection, new: Connection, tell: Callable[[str, int], None]) -> Counter[str]:
    """Copy every table into the empty ones of another store, and return the rows by table.

    Raises StateError where a table does not arrive as it was.
    """
    moved: Counter[str] = Counter()
    for table in _TABLES:
        sent = Fingerprint()
        for rows in _read(old, table):
            _write(new, table, rows)
            sent = _add(sent, rows)
        found = Fingerprint()
        for rows in _read(new, table):
            found = _add(found, rows)

        if sent != found:
            raise StateError(
                f"The table {table.name} did not arrive as it was: {sent.rows:,} rows sent, {found.rows:,} found.",
                "Nothing was moved; both stores are as before.",
            )
        moved[table.name] = sent.rows
        tell(table.name, sent.rows)

    _count_on(new)
    return moved


def _read(connection: Connection, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a table some at a time, but for the mark of a store that was moved."""
    columns = [null().label(column.name) if column in _LEFT_OUT else column for column in table.columns]
    query = select(*columns).execution_options(yield_per=ROWS)
    if table is schema.secrets:
        query = query.where(table.c.name != MOVED_TO)
    for rows in connection.execute(query).partitions():
        yield [tuple(map(_fitted, row)) for row in rows]


def _fitted(value: Any) -> Any:
    """Return the value as either engine holds it: no NUL in a text."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    return bytes(value) if isinstance(value, memoryview) else value


def _write(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        copy_rows(connection, table, rows)
        return
    names = [column.name for column in table.columns]
    connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _add(sum_: Fingerprint, rows: Sequence[tuple[Any, ...]]) -> Fingerprint:
    digests = (hashlib.sha256(repr(row).encode("utf-8", "surrogatepass")).digest() for row in rows)
    total = sum(int.from_bytes(digest) for digest in digests)
    return Fingerprint(sum_.rows + len(rows), (sum_.digest + total) % _DIGEST)


def _count_on(connection: Connection) -> None:
    """Let the ids that the server gives from now on follow those that were carried over."""
    if connection.dialect.name != "postgresql":
        return
    for table in _TABLES:
        column = table.autoincrement_column
        if column is None or (sequence := _sequence(connection, table.name, column.name)) is None:
            continue
        last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        connection.execute(select(func.setval(sequence, last, False)))


def _sequence(connection: Connection, table: str, column: str) -> str | None:
    """Return what a server's column counts on with; None where it does not count by itself."""
    return connection.scalar(select(func.pg_get_serial_sequence(table, column)))
