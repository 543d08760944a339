"""The journal: runs, and of each run every batch of changes with the outcome of each row. Moments are UTC."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update

from ..errors import ErrorCode, StateError, UsageError
from ..model.values import Change, Outcome, RowResult
from . import schema
from .change_codec import pack_changes, unpack_changes
from .store import Store


class RunOutcome(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    DONE = "done"
    REFUSED_ROWS = "refused_rows"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    KILLED = "killed"  # its process died before it could record an end; the next run found out


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the journal keeps it; ``summary`` is what ``sync --json`` printed, None while the run goes on."""

    id: str
    crm: str
    org_id: int | None
    dry_run: bool
    started_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome
    options: Mapping[str, Any]
    summary: Mapping[str, Any] | None
    error: str | None


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


def new_run_id(now: datetime) -> str:
    """Return an id for a run that begins now: ids sort by time and do not repeat."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


class Journal:
    """Writes the journal of one run. The numbers of its batches count from 1."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._seq = 0

    @property
    def store(self) -> Store:
        """Return the store that the journal is in."""
        return self._store

    def begin(self, crm: str, org_id: int | None, now: datetime, *, dry_run: bool, options: Mapping[str, Any]) -> None:
        """Record that the run has started. ``options`` are JSON values: what the user asked for."""
        values = {
            "id": self._run_id,
            "crm": crm,
            "org_id": org_id,
            "dry_run": dry_run,
            "started_at": now,
            "outcome": RunOutcome.RUNNING.value,
            "options": json.dumps(options),
        }

        with self._store.transaction() as connection:
            connection.execute(insert(schema.runs).values(values))

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
        return self._seq

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
        settle(self._store, OpenBatch(self._run_id, seq, ()), results, now)


def settle(store: Store, batch: OpenBatch, results: Sequence[RowResult], now: datetime) -> None:
    """Record the outcome of each change of a batch, in the order of its changes."""
    # Only what is not plainly written is kept by row: nearly every batch is all written.
    not_written = {
        place: [result.outcome, result.code, result.message]
        for place, result in enumerate(results)
        if result.outcome is not Outcome.WRITTEN
    }

    table = schema.batches
    with store.transaction() as connection:
        connection.execute(
            update(table)
            .where(table.c.run_id == batch.run_id, table.c.seq == batch.seq)
            .values(settled_at=now, results=store.keyring.seal(not_written, _results_of(batch.run_id, batch.seq)))
        )


def open_batches(store: Store, org_id: int) -> Iterator[OpenBatch]:
    """Yield the batches of an org without a recorded outcome, oldest first.

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

    while True:
        with store.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return

        changes = list(unpack_changes(store.keyring.open(row.payload, changes_of(row.run_id, row.seq))))
        yield OpenBatch(row.run_id, row.seq, changes, row.held, row.job)


def close_dead_runs(store: Store, org_id: int, this_run: str, now: datetime) -> None:
    """Record that the org's runs without a recorded end were killed, ``this_run`` aside."""
    table = schema.runs
    with store.transaction() as connection:
        connection.execute(
            update(table)
            .where(table.c.org_id == org_id, table.c.outcome == RunOutcome.RUNNING.value, table.c.id != this_run)
            .values(outcome=RunOutcome.KILLED.value, ended_at=now, error="the process was killed or lost its machine")
        )


def list_runs(store: Store, limit: int = 20) -> list[Run]:
    """Return the latest runs, newest first."""
    query = select(schema.runs).order_by(schema.runs.c.started_at.desc(), schema.runs.c.id.desc()).limit(limit)
    with store.transaction() as connection:
        return [_run(row) for row in connection.execute(query)]


def find_run(store: Store, run_id: str) -> Run:
    """Return the run with that id, or the only one whose id begins or ends so.

    Raises UsageError when no run fits, or more than one.
    """
    table = schema.runs
    with store.transaction() as connection:
        rows = connection.execute(
            select(table).where(
                (table.c.id == run_id)
                | table.c.id.startswith(run_id, autoescape=True)
                | table.c.id.endswith(run_id, autoescape=True)
            )
        ).all()

    if len(rows) == 1:
        return _run(rows[0])
    if rows:
        raise UsageError(f"More than one run fits the id {run_id!r}.", code=ErrorCode.RUN_AMBIGUOUS)
    raise UsageError(f"No run has the id {run_id!r}.", code=ErrorCode.RUN_NOT_FOUND)


def find_applied(store: Store, plan_run_id: str) -> str | None:
    """Return the run that carried out the plan of this dry run to its end, unless it has been taken back since."""
    table = schema.runs
    wanted = json.dumps({"apply": plan_run_id})
    with store.transaction() as connection:
        query = select(table.c.id).where(table.c.options == wanted, table.c.outcome == RunOutcome.DONE.value)
        applied = connection.scalars(query.order_by(table.c.started_at.desc())).first()
        if applied is None:
            return None

        undo = table.c.options == json.dumps({"undo": applied})
        undone = connection.scalars(select(table.c.id).where(undo, table.c.dry_run.is_(False))).first()
    return None if undone else applied


def read_changes(store: Store, run_id: str) -> Iterator[JournalRow]:
    """Yield every change of a run in the order of writing, a batch in memory at a time."""
    table = schema.batches
    seq = 0
    while True:
        query = select(table).where(table.c.run_id == run_id, table.c.seq > seq).order_by(table.c.seq).limit(1)
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
    not_written = None if row.results is None else keyring.open(row.results, _results_of(*batch))
    for place, change in enumerate(unpack_changes(keyring.open(row.payload, changes_of(*batch)))):
        yield JournalRow(change, None if not_written is None else _result(not_written.get(str(place))))


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        crm=row.crm,
        org_id=row.org_id,
        dry_run=row.dry_run,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=RunOutcome(row.outcome),
        options=_read_json(row.options),
        summary=_read_json(row.summary) if row.summary else None,
        error=row.error,
    )


def _read_json(text: str) -> Any:
    """Return what a column of the history holds. Raises StateError where it is damaged."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise StateError("The state store is damaged: its history cannot be read.", "Restore a backup.") from error


def _result(kept: Any) -> RowResult:
    if kept is None:
        return RowResult(Outcome.WRITTEN)
    outcome, code, message = kept
    return RowResult(Outcome(outcome), code, message)


def changes_of(run_id: str, seq: int) -> bytes:
    """Return what the changes of a batch are bound to, so that those of another one cannot take their place."""
    return f"changes of {run_id}, batch {seq}".encode()


def _results_of(run_id: str, seq: int) -> bytes:
    return f"results of {run_id}, batch {seq}".encode()
