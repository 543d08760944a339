"""Erasures that a back-up knows nothing of: done since it was made, they are done again before it is put back.

All that is left of such a number is its mark, and the mark finds it again: by its key where keys lie, and by trying the
values of the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, inspect, select, update

from ..errors import StateError
from ..model.values import Change
from . import schema
from .asked_checks import forget_check
from .blocks import Blocks
from .change_codec import pack_changes, unpack_changes
from .deleting import overwrite_deleted
from .erased import ErasedNumbers
from .evidence import forget_evidence
from .executions import forget_under
from .journal import changes_of, results_of
from .keyring import EncryptionKeys, unwrap_by_either
from .number_signs import forget_signs
from .review_queue import forget_number_under
from .sql import insert_missing
from .store import HASH_KEY, Store

_LOOKUPS = (schema.lookup_answers, schema.lookup_failures, schema.lookup_history, schema.lookup_questions)
_HOLDING = (
    *_LOOKUPS,
    schema.blocks,
    schema.review_items,
    schema.asked_checks,
    schema.executions,
    schema.evidence,
    schema.number_signs,
    schema.batches,
)


@dataclass(frozen=True, slots=True)
class ErasuresDone:
    """The marks of a store and the records of its erasures, with the key they are made under; None: it is not here."""

    marks: Sequence[dict[str, Any]]
    records: Sequence[dict[str, Any]]
    hash_key: bytes | None


def read_erasures(connection: Connection, keys: EncryptionKeys) -> ErasuresDone:
    """Return what was erased from the store on the connection, which may be of an older version."""
    there = set(inspect(connection).get_table_names())
    if not {schema.erased_numbers.name, schema.destructions.name, schema.secrets.name} <= there:
        return ErasuresDone((), (), None)

    marks, records = (
        [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in (schema.erased_numbers, schema.destructions)
    )
    secrets = schema.secrets
    wrapped = connection.scalar(select(secrets.c.value).where(secrets.c.name == HASH_KEY))
    try:
        return ErasuresDone(marks, records, unwrap_by_either(keys, bytes(wrapped or b"")))
    except StateError:
        return ErasuresDone(marks, records, None)


def erase_again(store: Store, done: ErasuresDone, hash_key: bytes) -> int:
    """Erase from the store what was erased elsewhere since; return how many numbers cannot be, being marked otherwise.

    ``hash_key`` is the store's. Opt-outs, listings and holders of the numbers stay, as in every erasure.
    """
    if done.marks and done.hash_key != hash_key:
        return len(done.marks)

    with store.transaction() as connection:
        insert_missing(connection, schema.destructions, done.records)
        before = set(connection.scalars(select(schema.erased_numbers.c.number_key)))
        insert_missing(connection, schema.erased_numbers, done.marks)
        new = [row["number_key"] for row in done.marks if row["number_key"] not in before]
        if not new:
            return 0
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        ledgers = connection.scalars(select(schema.blocks.c.ledger).distinct()).all()
        for key in new:
            _forget(connection, store, ledgers, key)

    _forget_changes(store)
    overwrite_deleted(store, list(_HOLDING))
    return 0


def _forget(connection: Connection, store: Store, ledgers: Sequence[str], key: bytes) -> None:
    for table in _LOOKUPS:
        connection.execute(delete(table).where(table.c.number_key == key))
    for ledger in ledgers:
        Blocks(store.keyring, ledger).forget_words_under(connection, key)
    forget_number_under(connection, store.keyring, key)
    forget_under(connection, store.keyring, key)
    forget_evidence(connection, [key])
    forget_signs(connection, [key])
    forget_check(connection, key)


def _forget_changes(store: Store) -> None:
    table, erased = schema.batches, ErasedNumbers(store)
    with store.transaction() as connection:
        places = connection.execute(select(table.c.run_id, table.c.seq)).all()
    for run_id, seq in places:
        with store.transaction() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            _forget_in_batch(connection, store, erased, (run_id, seq))


def _forget_in_batch(connection: Connection, store: Store, erased: ErasedNumbers, batch: tuple[str, int]) -> None:
    table, keyring = schema.batches, store.keyring
    here = (table.c.run_id == batch[0], table.c.seq == batch[1])
    row = connection.execute(select(table.c.payload, table.c.results).where(*here)).one()
    changes: list[Change] = list(unpack_changes(keyring.open(row.payload, changes_of(*batch))))
    left = erased.without(changes)
    if left is None:
        return

    values = {"payload": keyring.seal(pack_changes(left), changes_of(*batch))}
    if row.results is not None:
        said = {
            place: [outcome, code, message if left[int(place)] is changes[int(place)] else ""]
            for place, (outcome, code, message) in keyring.open(row.results, results_of(*batch)).items()
        }
        values["results"] = keyring.seal(said, results_of(*batch))
    connection.execute(update(table).where(*here).values(values))
