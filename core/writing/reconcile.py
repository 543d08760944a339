"""What a killed run left behind: batches that were planned or sent, with no answer on record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..decisions.plan import same_value
from ..model.blocks import EVERY_WAY, SMS_ALONE, Channel
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.values import Change, Outcome, RowResult
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.holdings import Raised
from ..state.journal import JournalRow, OpenBatch, Stretch, open_batches, read_changes, settle
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import close_dead_runs, list_dead_runs
from ..state.sql import in_batches
from ..state.store import Store
from ..suppression.record_reader import RecordReader

logger = logging.getLogger(__name__)

NOT_SENT = RowResult(Outcome.LOST, "NOT_SENT", "The run ended before this write was sent.")
_NOT_WRITTEN = RowResult(Outcome.LOST, "NOT_WRITTEN", "The run ended before this write landed.")
_ERASED = RowResult(Outcome.LOST, "ERASED", "Its values were erased before it was known what became of it.")
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
    rows = _settle_open(crm, shapes, store, org_id, run_id, clock, heartbeat)
    close_dead_runs(store, org_id, run_id, clock.now())
    return rows


def reconcile_part(
    crm: Crm,
    shapes: Mapping[str, ObjectShape],
    store: Store,
    org_id: int,
    within: Stretch,
    clock: Clock,
    heartbeat: Callable[[], None],
) -> int:
    """Do the same for a part of a run that goes on, whose worker is gone; ``within`` is its stretch of the journal."""
    return _settle_open(crm, shapes, store, org_id, within.run_id, clock, heartbeat, within)


def _settle_open(
    crm: Crm,
    shapes: Mapping[str, ObjectShape],
    store: Store,
    org_id: int,
    run_id: str,
    clock: Clock,
    heartbeat: Callable[[], None],
    within: Stretch | None = None,
) -> int:
    ledger = OptOutLedger(store, org_id, run_id, clock)
    reader = RecordReader(crm, shapes, ledger)
    rows = 0
    for job, batches in groupby(open_batches(store, org_id, within), key=lambda batch: batch.job):
        results = _ask(crm, job, heartbeat) if job else None
        for batch in batches:
            heartbeat()
            rows += 0 if batch.held else len(batch.changes)
            judged = _judge_batch(reader, shapes, batch, results)
            _note_raised_flags(ledger, reader, shapes, batch, judged)
            settle(store, batch, judged, clock.now())

    for dead in [within.run_id] if within else list_dead_runs(store, org_id, run_id):
        heartbeat()
        _note_unrecorded_flags(ledger, reader, shapes, read_changes(store, dead, within))
    if rows:
        logger.info("reconciled %d rows that were sent without hearing the answer", rows)
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
    _note_ours(ledger, reader, _find_raised(zip(batch.changes, results, strict=True), shapes))


def _note_unrecorded_flags(
    ledger: OptOutLedger, reader: RecordReader, shapes: Mapping[str, ObjectShape], rows: Iterable[JournalRow]
) -> None:
    """Do the same for rows whose outcome the run wrote down, and right behind which it may have died."""
    raised = _find_raised(((row.change, row.result) for row in rows if row.result is not None), shapes)
    for some in in_batches(list(raised)):
        _note_ours(ledger, reader, {key: raised[key] for key in ledger.find_unflagged(some)})


def _find_raised(
    rows: Iterable[tuple[Change, RowResult]], shapes: Mapping[str, ObjectShape]
) -> dict[tuple[str, str], Change]:
    """Return the records on which one of these rows has raised a flag, with the last that did."""
    return {
        change[:2]: change
        for change, result in rows
        if result.outcome is Outcome.WRITTEN
        and (shape := shapes.get(change.object)) is not None
        and not shape.own_flags().keys().isdisjoint(change.names)
    }


def _note_ours(ledger: OptOutLedger, reader: RecordReader, raised: Mapping[tuple[str, str], Change]) -> None:
    views = reader.read(raised) if raised else []
    # A record that was merged since comes back as its survivor, whose flag is another one.
    ledger.raise_flags([_raised(view, raised[view.key]) for view in views if view.flagged and view.key in raised])


def _raised(view: RecordView, change: Change) -> Raised:
    """Return what the ledger has to know of the record; a flag for messages alone goes up with no slot silenced."""
    shape = view.shape
    fields = [flag.field for flag in shape.opt_outs if flag.channel is Channel.SMS]
    messages_alone = not set(fields).isdisjoint(change.names) and not view.silenced
    return Raised(*view.key, view.all_e164s(), SMS_ALONE if messages_alone else EVERY_WAY, shape.channels)


def _judge(change: Change, view: RecordView | None, shapes: Mapping[str, ObjectShape]) -> RowResult:
    """Judge a row by what the record holds now.

    A row is written whole or not at all, so one field tells of all: people may have edited the others since. It is a
    companion where one was changed, because people write flags and phone fields too.
    """
    if view is None:
        return _GONE
    if change.is_erased:
        return _ERASED

    changed = [item for item in change.fields if not same_value(item.old, item.new)]
    companions = set(shapes[change.object].companion_fields())
    telling = [item for item in changed if item.field in companions] or changed
    if any(same_value(view.record.values.get(item.field), item.new) for item in telling):
        return RowResult(Outcome.WRITTEN)
    return _NOT_WRITTEN
