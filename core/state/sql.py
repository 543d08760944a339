"""The few statements that SQLite and PostgreSQL share beyond standard SQL, and the ways around what is slow."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table, literal
from sqlalchemy.dialects import sqlite

from .postgres import COPY_FROM, copy_missing, server_now

Item = TypeVar("Item")
Keys = Sequence[str] | Sequence[bytes] | Sequence[int]

BATCH = 500
"""Values in one IN list: far below the limit of either database."""


def moment(connection: Connection, now: datetime) -> datetime:
    """Return the moment (UTC) that processes of several machines agree on: the server's, where there is one.

    ``now`` is that of this process, which counts where the store is a file.
    """
    return server_now(connection) if connection.dialect.name == "postgresql" else now


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows that are not there yet, by any of the table's keys; return how many."""
    if not rows:
        return 0
    statement = _insert_missing(connection.dialect.name, table)
    if connection.dialect.name == "sqlite":
        return connection.execute(statement, rows).rowcount
    # A driver need not know how many rows of a list it has inserted; what comes back is what went in.
    return len(connection.execute(statement.returning(literal(1)), _in_order(table, rows)).all())


def insert_missing_of(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], wanted: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert the rows that are not there yet, by any of the table's keys; return these columns of those that were.

    The values must be what the driver takes as they are: see :func:`insert_missing_raw`.
    """
    one = f"({', '.join([_placeholder(connection)] * len(columns))})"
    added: list[tuple[Any, ...]] = []
    for some in in_batches(sorted(rows)):  # two processes that insert in one order never wait for each other
        text = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([one] * len(some))}"  # noqa: S608 - names of our schema
        text += f" ON CONFLICT DO NOTHING RETURNING {', '.join(wanted)}"
        added += map(tuple, connection.exec_driver_sql(text, tuple(itertools.chain.from_iterable(some))))
    return added


def insert_missing_raw(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert the rows that are not there yet, by primary key; the values must be what the driver takes as they are.

    SQLAlchemy's way of binding takes longer than SQLite's inserting, and millions of rows go through here.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        copy_missing(connection, table, columns, rows)
        return

    placeholder = _placeholder(connection)
    names, values = ", ".join(columns), ", ".join([placeholder] * len(columns))
    text = f"INSERT INTO {table.name} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - names of our schema
    connection.exec_driver_sql(text, list(rows) if placeholder == "?" else sorted(rows))


def insert_raw(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of a table that numbers them itself; the values must be what the driver takes as they are.

    For moments :func:`raw_moment` makes that of them. See :func:`insert_missing_raw`.
    """
    if not rows:
        return
    names, values = ", ".join(columns), ", ".join([_placeholder(connection)] * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({values})", list(rows))  # noqa: S608 - names of our schema


def upsert_raw(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    changed: Sequence[str],
) -> None:
    """Insert the rows; of those with the same primary key replace the columns in ``changed``.

    The values must be what the driver takes as they are: see :func:`insert_missing_raw`.
    """
    if not rows:
        return
    names, values = ", ".join(columns), ", ".join([_placeholder(connection)] * len(columns))
    keys = ", ".join(column.name for column in table.primary_key)
    sets = ", ".join(f"{name} = excluded.{name}" for name in changed)
    text = f"INSERT INTO {table.name} ({names}) VALUES ({values}) ON CONFLICT ({keys}) DO UPDATE SET {sets}"  # noqa: S608 - names of our schema
    connection.exec_driver_sql(text, sorted(rows))  # in one order, so that no two processes wait for each other


def raw_moment(connection: Connection, moment: datetime) -> str | datetime:
    """Return an aware moment as the driver takes it: naive UTC, which SQLite keeps as text."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return naive if connection.dialect.name == "postgresql" else naive.isoformat(" ", "microseconds")


def upsert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str] = (), newest: str = ""
) -> None:
    """Insert the rows, replacing those with the same primary key but for the columns in ``keep``.

    With ``newest``, the name of a column, a row is replaced only by one that holds no less in it.
    """
    if not rows:
        return
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]), tuple(keep), newest)
    connection.execute(statement, rows if connection.dialect.name == "sqlite" else _in_order(table, rows))


def _in_order(table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return the rows by their primary key: two processes that lock rows in one order never wait for each other."""
    keys = [column.name for column in table.primary_key if column.name in rows[0]]
    return sorted(rows, key=lambda row: [row[name] for name in keys])


def select_among(
    connection: Connection, columns: Sequence[Column[Any]], fixed: Mapping[str, Any], column: Column[Any], among: Keys
) -> Iterator[Sequence[Any]]:
    """Yield these columns of the rows whose ``fixed`` columns hold these values, and ``column`` one among many.

    The values must be what the driver takes as they are: rendering a list of them takes SQLAlchemy several times
    longer than SQLite's looking them up, and every page of records is looked up.
    """
    names = ", ".join(each.name for each in columns)
    for where, parameters in _where_among(connection, fixed, column, among):
        yield from connection.exec_driver_sql(f"SELECT {names} FROM {column.table.name} {where}", parameters)  # noqa: S608 - names of our schema


def delete_among(connection: Connection, fixed: Mapping[str, Any], column: Column[Any], among: Keys) -> None:
    """Delete the rows that :func:`select_among` finds."""
    for where, parameters in _where_among(connection, fixed, column, among):
        connection.exec_driver_sql(f"DELETE FROM {column.table.name} {where}", parameters)  # noqa: S608 - names of our schema


def _where_among(
    connection: Connection, fixed: Mapping[str, Any], column: Column[Any], among: Keys
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    placeholder = _placeholder(connection)
    conditions = [f"{name} = {placeholder}" for name in fixed]
    for some in in_batches(among):
        if placeholder == "?":
            one_of, values = f"IN ({', '.join([placeholder] * len(some))})", tuple(some)
        else:
            one_of, values = f"= ANY({placeholder})", (list(some),)  # one value costs the server less than 500
        yield f"WHERE {' AND '.join([*conditions, f'{column.name} {one_of}'])}", (*fixed.values(), *values)


def in_batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """Yield the items in runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def ids_by_object(records: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return object name -> record ids for records given as (object, record id)."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for name, record_id in records:
        ids[name].append(record_id)
    return ids


def _placeholder(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


@lru_cache(maxsize=64)  # making a statement takes longer than carrying it out for a few rows
def _upsert(dialect_name: str, table: Table, columns: Sequence[str], keep: Sequence[str], newest: str) -> Any:
    statement = _insert(dialect_name, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys and name not in keep}
    only = statement.excluded[newest] >= table.c[newest] if newest else None
    return statement.on_conflict_do_update(index_elements=keys, set_=changed, where=only)


@lru_cache(maxsize=64)  # as above
def _insert_missing(dialect_name: str, table: Table) -> Any:
    return _insert(dialect_name, table).on_conflict_do_nothing()


def _insert(dialect_name: str, table: Table) -> Any:
    if dialect_name != "postgresql":
        return sqlite.insert(table)

    # Imported here because it takes a while, and a state in a file needs nothing of it.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)
