"""What a killed run left behind: batches that were planned or sent, with no answer on record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..decisions.plan import same_value
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.values import Change, Outcome, RowResult
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import OpenBatch, open_batches, settle
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import close_dead_runs
from ..state.store import Store
from ..suppression.record_reader import RecordReader

logger = logging.getLogger(__name__)

NOT_SENT = RowResult(Outcome.LOST, "NOT_SENT", "The run ended before this write was sent.")
_NOT_WRITTEN = RowResult(Outcome.LOST, "NOT_WRITTEN", "The run ended before this write landed.")
_GONE = RowResult(Outcome.CONFLICT, "GONE", "The record is deleted or merged, or no longer mapped.")


def reconcile(
    crm: Crm,
    shapes: Mapping[str, ObjectShape],
    store: Store,
    org_id: int,
    run_id: str,
    clock: Clock,
    heartbeat: Callable[[], None],
) -> int:
    """Find out what became of each row that an earlier run sent without hearing the answer; return how many.

    A bulk job is asked for its results, everything else is read. Nothing is written again here: a row whose write did
    not land is still in front of a cursor, or waits, and comes up again by itself. ``heartbeat`` is called for each
    batch, and while a job is waited for. Must be called under the org's lease, when no earlier run can be alive.
    """
    ledger = OptOutLedger(store, org_id, run_id, clock)
    reader = RecordReader(crm, shapes, ledger)
    rows = 0
    for job, batches in groupby(open_batches(store, org_id), key=lambda batch: batch.job):
        results = _ask(crm, job, heartbeat) if job else None
        for batch in batches:
            heartbeat()
            rows += 0 if batch.held else len(batch.changes)
            judged = _judge_batch(reader, shapes, batch, results)
            _note_raised_flags(ledger, reader, shapes, batch, judged)
            settle(store, batch, judged, clock.now())

    if rows:
        logger.info("reconciled %d rows that an earlier run had sent without hearing the answer", rows)
    close_dead_runs(store, org_id, run_id, clock.now())
    return rows


@dataclass(frozen=True, slots=True)
class _Waiting:
    """See :class:`ringfence.core.ports.bulk.BulkWatch`; a job that an earlier run left is waited for to its end."""

    waiting: Callable[[], None]

    def opened(self, reference: str) -> None:
        raise ValueError(f"no job is opened here: {reference}")


def _ask(crm: Crm, job: str, heartbeat: Callable[[], None]) -> dict[str, RowResult] | None:
    if crm.bulk is None:
        return None
    found = crm.bulk.outcome(job, _Waiting(heartbeat))
    return None if found is None else dict(found)


def _judge_batch(
    reader: RecordReader, shapes: Mapping[str, ObjectShape], batch: OpenBatch, results: Mapping[str, RowResult] | None
) -> list[RowResult]:
    if batch.held:
        return [NOT_SENT] * len(batch.changes)

    # What a job does not name may have been sent in another way after it, also where it names nothing.
    named = results or {}
    views = reader.read_by_key(change[:2] for change in batch.changes if change.id not in named)
    return [
        named.get(change.id) or _judge(change, views.get((change.object, change.id)), shapes)
        for change in batch.changes
    ]


def _note_raised_flags(
    ledger: OptOutLedger,
    reader: RecordReader,
    shapes: Mapping[str, ObjectShape],
    batch: OpenBatch,
    results: Sequence[RowResult],
) -> None:
    """Record whose the flags are that the run raised and did not come to writing down: they pass on to nobody."""
    raised = [
        change[:2]
        for change, result in zip(batch.changes, results, strict=True)
        if result.outcome is Outcome.WRITTEN
        and (shape := shapes.get(change.object)) is not None
        and shape.opt_out is not None
        and shape.opt_out.field in change.names
    ]
    views = reader.read(raised) if raised else []
    # A record that was merged since comes back as its survivor, whose flag is another one.
    ledger.raise_flags([(*view.key, view.all_e164s()) for view in views if view.flagged and view.key in raised])


def _judge(change: Change, view: RecordView | None, shapes: Mapping[str, ObjectShape]) -> RowResult:
    """Judge a row by what the record holds now.

    A row is written whole or not at all, so one field tells of all: people may have edited the others since. It is a
    companion where one was changed, because people write flags and phone fields too.
    """
    if view is None:
        return _GONE

    changed = [item for item in change.fields if not same_value(item.old, item.new)]
    companions = set(shapes[change.object].companion_fields())
    telling = [item for item in changed if item.field in companions] or changed
    if any(same_value(view.record.values.get(item.field), item.new) for item in telling):
        return RowResult(Outcome.WRITTEN)
    return _NOT_WRITTEN
