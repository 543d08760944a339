"""Values taken out of the journal: what a run wrote to a record stays on record, and not with which values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from ..model.values import Change
from . import schema
from .change_codec import pack_changes, unpack_changes
from .journal import changes_of, results_of
from .store import Store

IsMeant = Callable[[str, Change, Any], bool]
"""Tells by the id of its run, the change itself, and what the CRM said of it, whether a change loses its values."""


@contextmanager
def overwriting(store: Store) -> Iterator[Connection]:
    """Yield a connection on which an SQLite file loses the bytes of what is deleted, and not their place alone."""
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield connection


def forget_changes(store: Store, is_meant: IsMeant, advance: Callable[[int], None]) -> int:
    """Take the values out of every change in the journal that is meant; return in how many batches.

    ``advance`` is called with the batches that are done.
    """
    table = schema.batches
    columns = [table.c.run_id, table.c.seq, table.c.payload, table.c.results]
    found, last = 0, None
    while True:
        query = select(*columns).order_by(table.c.run_id, table.c.seq).limit(1)
        if last is not None:
            query = query.where(tuple_(table.c.run_id, table.c.seq) > (last.run_id, last.seq))
        with overwriting(store) as connection:
            last = connection.execute(query).first()
            if last is None:
                return found
            found += _forget_in_batch(connection, store, last, is_meant)
        advance(1)


def _forget_in_batch(connection: Connection, store: Store, row: Any, is_meant: IsMeant) -> bool:
    """Take the values out of those changes of a batch that are meant; return whether there were any."""
    keyring, batch = store.keyring, (row.run_id, row.seq)
    changes = list(unpack_changes(keyring.open(row.payload, changes_of(*batch))))
    results = {} if row.results is None else keyring.open(row.results, results_of(*batch))

    places = {place for place, change in enumerate(changes) if is_meant(row.run_id, change, results.get(str(place)))}
    if not places:
        return False

    left = [change.without_values() if place in places else change for place, change in enumerate(changes)]
    said = {
        place: [outcome, code, "" if int(place) in places else message]
        for place, (outcome, code, message) in results.items()
    }
    values = {"payload": keyring.seal(pack_changes(left), changes_of(*batch))}
    if row.results is not None:
        values["results"] = keyring.seal(said, results_of(*batch))
    table = schema.batches
    connection.execute(update(table).where(table.c.run_id == row.run_id, table.c.seq == row.seq).values(values))
    return True
