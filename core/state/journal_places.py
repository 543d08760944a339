"""How far the journal that a CRM keeps of its changes has been read, and who may read on right now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from . import schema
from .sql import insert_missing, moment
from .store import Store


class JournalPlace:
    """The place in the journal of one account. Every method is one transaction."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def take_turn(self, now: datetime, every: timedelta) -> bool:
        """Return whether it is time to read on, and this process's turn: of several one does so."""
        table = schema.journal_places
        with self._store.transaction() as connection:
            agreed = moment(connection, now)
            row = {"account": self._account, "place": "", "looked_at": agreed - 2 * every}
            insert_missing(connection, table, [row])
            ours = (table.c.account == self._account, table.c.looked_at <= agreed - every)
            return bool(connection.execute(update(table).where(*ours).values(looked_at=agreed)).rowcount)

    def read(self) -> str:
        """Return the place behind what was read last, in the CRM's own words; empty where nothing was."""
        table = schema.journal_places
        with self._store.transaction() as connection:
            return connection.scalar(select(table.c.place).where(table.c.account == self._account)) or ""

    def move(self, place: str) -> None:
        """Store the place behind what is on record now."""
        table = schema.journal_places
        with self._store.transaction() as connection:
            connection.execute(update(table).where(table.c.account == self._account).values(place=place))
