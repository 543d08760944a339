"""Records that somebody told us to look at: by a webhook, a workflow or a signal, and not by the feed.

They are kept by the account's name, and not by its org: who tells of a record need not know which org that is, nor
have been there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, func, literal, select, tuple_, union_all

from . import schema
from .intakes import Intake, await_intake, hold_intake
from .sql import upsert
from .store import Store


class Wake(NamedTuple):
    """One record that waits to be looked at; ``mark`` changes with every telling."""

    object: str
    record_id: str
    mark: str

    @property
    def key(self) -> tuple[str, str]:
        """Return the record as (object, record id)."""
        return self.object, self.record_id


def put_wakes(connection: Connection, account: str, records: Iterable[tuple[str, str]], now: datetime) -> int:
    """Let records, (object, record id) each, wait to be looked at, in the caller's transaction; return how many.

    One that waits already waits on under a new mark: whoever is reading it right now may have read it too early. The
    job that is to read them is put on record behind this, in the same transaction.
    """
    hold_intake(connection, Intake.WAKES)
    mark = secrets.token_hex(16)
    rows = [
        {"account": account, "object": name, "record_id": record_id, "mark": mark, "since": now}
        for name, record_id in dict.fromkeys(records)
    ]
    upsert(connection, schema.wakes, rows, keep=("since",))
    return len(rows)


class Wakes:
    """The records of one account that wait to be looked at."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def next(self, after: tuple[str, str], limit: int) -> list[Wake]:
        """Return waiting records in the order of (object, record id), at most ``limit`` of those behind ``after``."""
        table = schema.wakes
        query = (
            select(table.c.object, table.c.record_id, table.c.mark)
            .where(table.c.account == self._account, tuple_(table.c.object, table.c.record_id) > tuple_(*after))
            .order_by(table.c.object, table.c.record_id)
            .limit(limit)
        )
        with self._store.transaction() as connection:
            await_intake(connection, Intake.WAKES)
            return [Wake(*row) for row in connection.execute(query)]

    def settle(self, wakes: Sequence[Wake]) -> None:
        """Forget these: each has an outcome. One that was told of again since then goes on waiting."""
        if not wakes:
            return
        table = schema.wakes
        with self._store.transaction() as connection:
            for name, record_id, mark in wakes:
                connection.execute(
                    delete(table).where(
                        table.c.account == self._account,
                        table.c.object == name,
                        table.c.record_id == record_id,
                        table.c.mark == mark,
                    )
                )

    def count(self) -> int:
        """Return how many wait."""
        table = schema.wakes
        query = select(func.count()).select_from(table).where(table.c.account == self._account)
        with self._store.transaction() as connection:
            await_intake(connection, Intake.WAKES)
            return connection.scalar(query) or 0


def list_accounts_with_wakes(connection: Connection, accounts: Iterable[str], before: datetime) -> list[str]:
    """Return those of the accounts of which records wait that were first told of by that moment."""
    table = schema.wakes
    waits = [
        select(literal(account)).where(exists().where(table.c.account == account, table.c.since <= before))
        for account in dict.fromkeys(accounts)
    ]
    return list(connection.scalars(union_all(*waits))) if waits else []
