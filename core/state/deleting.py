"""Deleting many rows: some at a time, so that others get in between and no statement grows with the table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Table, delete, func, select
from sqlalchemy.exc import OperationalError

from . import schema
from .sql import in_batches
from .store import Store

ROWS = 20_000
"""Rows that one transaction goes through."""

FEW = 50
"""A run of so few batches goes in one transaction with so many others."""

WORTH_MAKING_ROOM = 1024 * 1024
"""Bytes that lie idle in an SQLite file before it is written anew."""

Condition = ColumnElement[bool]


def delete_rows(store: Store, table: Table, key: Column[bytes] | Column[str] | Column[int], *scope: Condition) -> int:
    """Delete all rows of the scope and return how many; ``key`` is the column of an index that leads through them."""
    return delete_some_rows(store, table, key, scope, ())


def delete_some_rows(
    store: Store,
    table: Table,
    key: Column[bytes] | Column[str] | Column[int],
    scope: tuple[Condition, ...],
    only: tuple[Condition, ...],
) -> int:
    """Go through the rows of the scope in the order of ``key``, and delete those that ``only`` names."""
    removed, last = 0, None
    while True:
        ahead = scope if last is None else (*scope, key > last)
        with store.transaction() as connection:
            ends_at = select(key).where(*ahead).order_by(key).offset(ROWS - 1).limit(1)
            last = connection.scalar(ends_at)
            some = ahead if last is None else (*ahead, key <= last)
            removed += connection.execute(delete(table).where(*some, *only)).rowcount
        if last is None:
            return removed


def delete_journals(store: Store, run_ids: Sequence[str]) -> int:
    """Delete the batches of these runs, a few hundred at most, and return how many."""
    table = schema.batches
    query = (
        select(table.c.run_id, func.count().label("rows")).where(table.c.run_id.in_(run_ids)).group_by(table.c.run_id)
    )
    with store.transaction() as connection:
        sizes = {row.run_id: int(row.rows) for row in connection.execute(query)}

    removed = 0
    for run_id in [run_id for run_id, rows in sizes.items() if rows > FEW]:
        removed += delete_rows(store, table, table.c.seq, table.c.run_id == run_id)
    for some in in_batches([run_id for run_id, rows in sizes.items() if rows <= FEW], FEW):
        with store.transaction() as connection:
            removed += connection.execute(delete(table).where(table.c.run_id.in_(some))).rowcount
    return removed


def count_rows(store: Store, table: Table, *conditions: Condition) -> int:
    """Return how many rows of a table there are under these conditions."""
    with store.transaction() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def give_back_space(store: Store) -> int:
    """Give the room of deleted rows back to the disk and return how many bytes that are.

    PostgreSQL does that by itself. An SQLite file is written anew, once a tenth of it is idle, and not while another
    process holds it or the disk has no room for that: then the room is used by what comes next.
    """
    if store.engine.dialect.name != "sqlite":
        return 0
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        pages, idle, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        if idle * size < WORTH_MAKING_ROOM or idle * 10 < pages:
            return 0
        try:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except OperationalError:
            return 0
    return int(idle * size)


def overwrite_deleted(store: Store, tables: Sequence[Table]) -> bool:
    """Leave no copy of deleted or changed rows of the tables in the database's files; return whether that was done.

    SQLite writes the file anew and empties the log beside it, which others who use the store may keep it from; on
    PostgreSQL dead rows are cleared away, which others may delay.
    """
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            if store.engine.dialect.name != "sqlite":
                for table in tables:
                    connection.exec_driver_sql(f"VACUUM {table.name}")
                return True
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            connection.exec_driver_sql("VACUUM")
            is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        except OperationalError:
            return False
    return not is_busy
