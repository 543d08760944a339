"""A number that goes for good: every trace of it but a keyed mark, and what keeps it silent.

The mark comes first, and what was done is on record with it. So whatever cuts an erasure off, nothing brings back what
is gone already, and the same call takes the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from ..model.values import Change
from ..numbers import mask
from ..numbers.traces import NumberTraces
from . import schema
from .asked_checks import forget_check
from .blocks import Blocks
from .deleting import overwrite_deleted
from .destructions import Destruction, begin_destruction
from .erased import mark_erased, texts_of
from .evidence import forget_evidence
from .executions import forget_in_executions
from .journal_values import forget_changes, overwriting
from .leases import take_lease, this_process
from .number_signs import forget_signs
from .review_queue import forget_number
from .store import Store

GONE = "[erased]"
"""What stands in a message in the place of a masked number."""

_LOOKUPS = (schema.lookup_answers, schema.lookup_failures, schema.lookup_history, schema.lookup_questions)
_SEALED = (
    schema.blocks,
    schema.review_items,
    schema.executions,
    schema.asked_checks,
    schema.evidence,
    schema.number_signs,
    schema.batches,
)
_TEXTS = (
    schema.runs.c.summary,
    schema.runs.c.error,
    schema.pending.c.message,
    schema.run_parts.c.error,
    schema.job_notes.c.error,
    schema.executions.c.said,
)
"""Columns in which a masked number may stand."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A record of a CRM that is known to hold a number: its account's key, its object and its id."""

    account: str
    object: str
    id: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took, by table; ``is_overwritten`` tells that no copy of it is left in the database's files."""

    rows: Counter[str]
    is_overwritten: bool


def find_holders(store: Store, e164: str) -> list[Holder]:
    """Return the records of all accounts that are known to hold an E.164 number."""
    table, orgs = schema.holdings, schema.orgs
    query = (
        select(orgs.c.key, table.c.object, table.c.record_id)
        .join(orgs, orgs.c.id == table.c.org_id)
        .where(table.c.number_key == store.keyring.number_key(e164))
        .order_by(orgs.c.id, table.c.object, table.c.record_id)
    )
    with store.transaction() as connection:
        return [Holder(*row) for row in connection.execute(query)]


def count_batches(store: Store) -> int:
    """Return how many batches of changes the journal holds: an erasure opens each."""
    with store.transaction() as connection:
        return connection.scalar(select(func.count()).select_from(schema.batches)) or 0


def erase_number(
    store: Store,
    e164: str,
    destruction: Destruction,
    now: datetime,
    advance: Callable[[int], None],
    spared: Callable[[str, Change], bool] = lambda _run_id, _change: False,
) -> Erased:
    """Erase an E.164 number from the state; ``advance`` is called with the batches of the journal that are done.

    Its opt-outs, its listings and who holds it stay, by keyed hashes: they keep it silent. So do the changes that are
    ``spared``, told by the id of their run, because the caller needs them yet. Raises BusyError, before anything is
    gone, while a run is at work on any account.
    """
    gone: Counter[str] = Counter()
    with _all_accounts(store, destruction.id, now):
        with overwriting(store) as connection:
            gone["erased_numbers"] += mark_erased(connection, store.keyring, e164, now)
            begin_destruction(connection, store, destruction, now)
        with overwriting(store) as connection:
            gone += _forget_lookups(connection, store.keyring.number_key(e164))
            gone["blocks"] += sum(
                Blocks(store.keyring, ledger).forget_words(connection, e164) for ledger in _list_ledgers(connection)
            )
            gone["review_items"] += forget_number(connection, store.keyring, e164)
            gone["asked_checks"] += forget_check(connection, store.keyring.number_key(e164))
            gone["executions"] += forget_in_executions(connection, store.keyring, e164)
            gone["evidence"] += forget_evidence(connection, [store.keyring.number_key(e164)])
            gone["number_signs"] += forget_signs(connection, [store.keyring.number_key(e164)])
            gone += _forget_in_texts(connection, mask(e164))
        gone["batches"] += _forget_changes(store, NumberTraces(e164), advance, spared)
    return Erased(+gone, overwrite_deleted(store, [*_LOOKUPS, *_SEALED, schema.runs]))


@contextmanager
def _all_accounts(store: Store, run_id: str, now: datetime) -> Iterator[None]:
    """Keep every account from being synced for the block."""
    with store.transaction() as connection:
        org_ids = connection.scalars(select(schema.orgs.c.id).order_by(schema.orgs.c.id)).all()
    with ExitStack() as leases:
        for org_id in org_ids:
            leases.callback(take_lease(store, org_id, run_id, now, this_process()).release)
        yield


def _forget_lookups(connection: Connection, key: bytes) -> Counter[str]:
    return Counter(
        {table.name: connection.execute(delete(table).where(table.c.number_key == key)).rowcount for table in _LOOKUPS}
    )


def _list_ledgers(connection: Connection) -> Sequence[str]:
    return connection.scalars(select(schema.blocks.c.ledger).distinct()).all()


def _forget_in_texts(connection: Connection, masked: str) -> Counter[str]:
    """Take the masked number out of messages and summaries: its first and last digits tell of it too."""
    gone: Counter[str] = Counter()
    for column in _TEXTS:
        holds = column.contains(masked, autoescape=True)
        changed = update(column.table).where(holds).values({column: func.replace(column, masked, GONE)})
        gone[column.table.name] += connection.execute(changed).rowcount
    return gone


def _forget_changes(
    store: Store, traces: NumberTraces, advance: Callable[[int], None], spared: Callable[[str, Change], bool]
) -> int:
    """Take the values out of every change in the journal that holds the number; return in how many batches."""

    def is_meant(run_id: str, change: Change, result: Any) -> bool:
        return _is_about(change, result, traces) and not spared(run_id, change)

    return forget_changes(store, is_meant, advance)


def _is_about(change: Change, result: Any, traces: NumberTraces) -> bool:
    """Return whether a change, or what the CRM said of it, holds the number."""
    said = [result[2]] if result else []
    return any(traces.are_in(text) for text in (*texts_of(change), *said))
