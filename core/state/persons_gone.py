"""Somebody who is to be forgotten, known by a record of theirs: which numbers were theirs, and what the record leaves.

Nobody tells their numbers any more: the CRM has forgotten them. What runs wrote to the record does, for every verdict
has its number beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy import delete, select

from ..model.values import Change
from . import schema
from .change_codec import unpack_changes
from .erased import texts_of
from .journal import changes_of
from .journal_values import forget_changes, overwriting
from .store import Store

_E164 = re.compile(r"\+[1-9]\d{4,14}", re.ASCII)


class PersonGone:
    """A record of one account whose person is to be forgotten; ``org_id`` is the state's own id of the account."""

    def __init__(self, store: Store, org_id: int, object_name: str, record_id: str) -> None:
        self._store = store
        self._org_id = org_id
        self._key = object_name, record_id
        runs = schema.runs
        with store.transaction() as connection:
            self._runs = frozenset(connection.scalars(select(runs.c.id).where(runs.c.org_id == org_id)))

    def is_theirs(self, run_id: str, change: Change) -> bool:
        """Return whether a change of this run is one of the record."""
        return run_id in self._runs and (change.object, change.id) == self._key

    def find_numbers(self) -> list[str]:
        """Return the E.164 numbers that runs have written beside the record's verdicts, and still know of."""
        found: set[str] = set()
        table, keyring = schema.batches, self._store.keyring
        for run_id in sorted(self._runs):
            query = select(table.c.seq, table.c.payload).where(table.c.run_id == run_id).order_by(table.c.seq)
            with self._store.transaction() as connection:
                for row in connection.execute(query):
                    for change in unpack_changes(keyring.open(row.payload, changes_of(run_id, row.seq))):
                        if self.is_theirs(run_id, change):
                            found.update(text for text in texts_of(change) if _E164.fullmatch(text))
        return sorted(found)

    def forget(self, advance: Callable[[int], None]) -> int:
        """Forget all values of the record, and what it holds; opt-outs stay, by keyed hashes. Return the batches."""
        batches = forget_changes(self._store, lambda run_id, change, _said: self.is_theirs(run_id, change), advance)
        name, record_id = self._key
        with overwriting(self._store) as connection:
            for table in (schema.holdings, schema.consents, schema.pending):
                ours = (table.c.org_id == self._org_id, table.c.object == name, table.c.record_id == record_id)
                connection.execute(delete(table).where(*ours))
        return batches
