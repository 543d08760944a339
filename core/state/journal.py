"""The journal: of each run every batch of changes with the outcome of each row. Moments are UTC."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update

from ..model.field_roles import FieldRoles
from ..model.run_outcome import RunOutcome
from ..model.values import Change, Outcome, RowResult
from . import schema
from .change_codec import pack_changes, unpack_changes
from .erased import ErasedNumbers
from .leases import this_process
from .store import Store, refuse_moved


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch without a recorded outcome: ``held`` back and never sent, part of a bulk job, or sent by itself."""

    run_id: str
    seq: int
    changes: Sequence[Change]
    held: bool = False
    job: str | None = None  # the CRM's reference of the bulk job


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One change of a run with its result; None where no outcome was recorded."""

    change: Change
    result: RowResult | None


class Journal:
    """Writes the journal of one run. The numbers of its batches count on from ``after``."""

    def __init__(self, store: Store, run_id: str, after: int = 0) -> None:
        self._store = store
        self._run_id = run_id
        self._seq = after
        self._marks: ErasedNumbers | None = None
        self._to_erase: dict[int, Sequence[Change]] = {}

    @property
    def last(self) -> int:
        """Return the number of the latest batch, or the one that the first comes after."""
        return self._seq

    def leave_room(self, until: int) -> None:
        """Leave the numbers up to this one to others who write in this journal."""
        self._seq = max(self._seq, until)

    @property
    def store(self) -> Store:
        """Return the store that the journal is in."""
        return self._store

    def begin(
        self,
        crm: str,
        org_id: int | None,
        now: datetime,
        *,
        dry_run: bool,
        options: Mapping[str, Any],
        roles: FieldRoles | None = None,
    ) -> None:
        """Record that the run has started, in this process.

        ``options`` are JSON values: what the user asked for; ``roles`` tell what the fields of its changes are for.
        Raises StateError where the store was moved away.
        """
        values = {
            "id": self._run_id,
            "crm": crm,
            "org_id": org_id,
            "dry_run": dry_run,
            "started_at": now,
            "outcome": RunOutcome.RUNNING.value,
            "options": json.dumps(options),
            "process": json.dumps(asdict(this_process())),
            "roles": json.dumps(roles.to_json()) if roles else None,
        }

        with self._store.transaction() as connection:
            connection.execute(insert(schema.runs).values(values))
            # Only now, for the insert waits until a move that is under way has come to its end.
            refuse_moved(connection)

    def end(self, now: datetime, outcome: RunOutcome, summary: Mapping[str, Any], error: str | None) -> None:
        """Record how the run ended; ``summary`` is of JSON values, ``error`` the message that ended it, if any."""
        with self._store.transaction() as connection:
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.id == self._run_id)
                .values(ended_at=now, outcome=outcome.value, summary=json.dumps(summary), error=error)
            )

    def plan_batch(self, changes: Sequence[Change], now: datetime, *, held: bool = False) -> int:
        """Record changes before they are written, or ``held`` back for a bulk job; return the number of the batch."""
        self._seq += 1
        payload = self._store.keyring.seal(pack_changes(changes), changes_of(self._run_id, self._seq))
        values = {"run_id": self._run_id, "seq": self._seq, "planned_at": now, "payload": payload, "held": held}

        with self._store.transaction() as connection:
            connection.execute(insert(schema.batches).values(values))
        self._note_erased(self._seq, changes)
        return self._seq

    def _note_erased(self, seq: int, changes: Sequence[Change]) -> None:
        """Keep in mind what of a batch must lose its values as soon as it is known what became of it.

        Until then they are needed: a run that comes after a kill finds out by them.
        """
        if self._marks is None:
            self._marks = ErasedNumbers(self._store)
        if (left := self._marks.without(changes)) is not None:
            self._to_erase[seq] = left

    def release(self, seqs: Sequence[int], job: str | None = None) -> None:
        """Record that held batches are about to be sent; ``job`` is the CRM's reference of their bulk job."""
        table = schema.batches
        with self._store.transaction() as connection:
            connection.execute(
                update(table).where(table.c.run_id == self._run_id, table.c.seq.in_(seqs)).values(held=False, job=job)
            )

    def planned(self, seqs: Sequence[int]) -> Iterator[Change]:
        """Yield the changes of these batches in their order, a batch in memory at a time."""
        table = schema.batches
        for seq in seqs:
            query = select(table.c.payload).where(table.c.run_id == self._run_id, table.c.seq == seq)
            with self._store.transaction() as connection:
                payload = connection.execute(query).scalar_one()
            yield from unpack_changes(self._store.keyring.open(payload, changes_of(self._run_id, seq)))

    def settle_batch(self, seq: int, results: Sequence[RowResult], now: datetime) -> None:
        """Record the outcome of each change of the batch, in the order of its changes."""
        _settle(self._store, OpenBatch(self._run_id, seq, ()), results, now, self._to_erase.pop(seq, None))


def settle(store: Store, batch: OpenBatch, results: Sequence[RowResult], now: datetime) -> None:
    """Record the outcome of each change of a batch, in the order of its changes."""
    _settle(store, batch, results, now, ErasedNumbers(store).without(batch.changes))


def _settle(
    store: Store, batch: OpenBatch, results: Sequence[RowResult], now: datetime, left: Sequence[Change] | None
) -> None:
    """Record the outcomes; ``left`` are the changes as they are kept from now on, None: as they are."""
    # Only what is not plainly written is kept by row: nearly every batch is all written.
    not_written = {
        place: [result.outcome, result.code, "" if left and left[place].is_erased else result.message]
        for place, result in enumerate(results)
        if result.outcome is not Outcome.WRITTEN
    }
    values: dict[str, Any] = {
        "settled_at": now,
        "results": store.keyring.seal(not_written, results_of(batch.run_id, batch.seq)),
    }
    if left is not None:
        values["payload"] = store.keyring.seal(pack_changes(left), changes_of(batch.run_id, batch.seq))

    table = schema.batches
    with store.transaction() as connection:
        connection.execute(update(table).where(table.c.run_id == batch.run_id, table.c.seq == batch.seq).values(values))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The batches of a run behind the number ``after``, up to the number ``until``."""

    run_id: str
    after: int
    until: int


def last_seq(store: Store, stretch: Stretch) -> int:
    """Return the number of the latest batch of the stretch, or the one that it begins after where it holds none."""
    query = select(func.max(schema.batches.c.seq)).where(*_in(stretch))
    with store.transaction() as connection:
        return connection.scalar(query) or stretch.after


def _in(stretch: Stretch) -> tuple[ColumnElement[bool], ...]:
    table = schema.batches
    return (table.c.run_id == stretch.run_id, table.c.seq > stretch.after, table.c.seq <= stretch.until)


def open_batches(store: Store, org_id: int, within: Stretch | None = None) -> Iterator[OpenBatch]:
    """Yield the batches of an org without a recorded outcome, oldest first; those ``within`` a stretch, if any.

    The caller has to settle each (:func:`settle`) before it takes the next.
    """
    table, runs = schema.batches, schema.runs
    query = (
        select(table.c.run_id, table.c.seq, table.c.payload, table.c.held, table.c.job)
        .join(runs, runs.c.id == table.c.run_id)
        .where(runs.c.org_id == org_id, table.c.settled_at.is_(None))
        .order_by(runs.c.started_at, table.c.seq)
        .limit(1)
    )
    if within is not None:
        query = query.where(*_in(within))

    while True:
        with store.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return

        changes = list(unpack_changes(store.keyring.open(row.payload, changes_of(row.run_id, row.seq))))
        yield OpenBatch(row.run_id, row.seq, changes, row.held, row.job)


def read_changes(store: Store, run_id: str, within: Stretch | None = None) -> Iterator[JournalRow]:
    """Yield the changes of a run in their order, ``within`` a stretch or all, a batch in memory at a time."""
    table = schema.batches
    seq = within.after if within else 0
    while True:
        query = select(table).where(table.c.run_id == run_id, table.c.seq > seq).order_by(table.c.seq).limit(1)
        if within is not None:
            query = query.where(table.c.seq <= within.until)
        with store.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return

        seq = row.seq
        yield from _rows(store, row)


def read_batches_backwards(store: Store, run_id: str) -> Iterator[list[JournalRow]]:
    """Yield the batches of a run, the last one first, a batch in memory at a time."""
    table = schema.batches
    before: int | None = None
    while True:
        query = select(table).where(table.c.run_id == run_id).order_by(table.c.seq.desc()).limit(1)
        if before is not None:
            query = query.where(table.c.seq < before)
        with store.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return

        before = row.seq
        yield list(_rows(store, row))


def _rows(store: Store, row: Any) -> Iterator[JournalRow]:
    keyring, batch = store.keyring, (row.run_id, row.seq)
    not_written = None if row.results is None else keyring.open(row.results, results_of(*batch))
    for place, change in enumerate(unpack_changes(keyring.open(row.payload, changes_of(*batch)))):
        yield JournalRow(change, None if not_written is None else _result(not_written.get(str(place))))


def _result(kept: Any) -> RowResult:
    if kept is None:
        return RowResult(Outcome.WRITTEN)
    outcome, code, message = kept
    return RowResult(Outcome(outcome), code, message)


def changes_of(run_id: str, seq: int) -> bytes:
    """Return what the changes of a batch are bound to, so that those of another one cannot take their place."""
    return f"changes of {run_id}, batch {seq}".encode()


def results_of(run_id: str, seq: int) -> bytes:
    """Return what the outcomes of a batch are bound to."""
    return f"results of {run_id}, batch {seq}".encode()
