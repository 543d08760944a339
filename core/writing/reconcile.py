"""What a killed run left behind: batches that were planned or sent, with no answer on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..decisions.plan import same_value
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.values import Change, Outcome, Record, RowResult, Value
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import OpenBatch, close_dead_runs, open_batches, settle
from ..state.opt_out_ledger import OptOutLedger
from ..state.store import Store
from ..suppression.intake import record_holdings

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
    rows = 0
    for job, batches in groupby(open_batches(store, org_id), key=lambda batch: batch.job):
        results = _ask(crm, job, heartbeat) if job else None
        for batch in batches:
            heartbeat()
            rows += 0 if batch.held else len(batch.changes)
            settle(store, batch, _judge_batch(crm, shapes, ledger, batch, results), clock.now())
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
    crm: Crm,
    shapes: Mapping[str, ObjectShape],
    ledger: OptOutLedger,
    batch: OpenBatch,
    results: Mapping[str, RowResult] | None,
) -> list[RowResult]:
    if batch.held:
        return [NOT_SENT] * len(batch.changes)
    # What a job does not name may have been sent in another way after it, also where it names nothing.
    told = results or {}
    records = _read(crm, shapes, [change for change in batch.changes if change.id not in told])
    record_holdings(ledger, [RecordView(r, shapes[r.object]) for r in records.values()], certain=True)
    return [
        told.get(change.id) or _judge(change, records.get((change.object, change.id)), shapes)
        for change in batch.changes
    ]


def _read(crm: Crm, shapes: Mapping[str, ObjectShape], changes: Iterable[Change]) -> dict[tuple[str, str], Record]:
    ids: dict[str, list[str]] = {}
    for change in changes:
        if change.object in shapes:
            ids.setdefault(change.object, []).append(change.id)
    found: dict[tuple[str, str], Record] = {}
    for name, some in ids.items():
        found.update(((name, record.id), record) for record in _fetch(crm, name, some))
    return found


def _fetch(crm: Crm, name: str, ids: Sequence[str]) -> list[Record]:
    return crm.fetch(name, list(dict.fromkeys(ids)))


def _judge(change: Change, record: Record | None, shapes: Mapping[str, ObjectShape]) -> RowResult:
    """Judge a row by what the record holds now.

    A row is written whole or not at all, so one field tells of all: people may have edited the others since. It is a
    companion where one was changed, because people write flags and phone fields too.
    """
    if record is None:
        return _GONE
    changed = [item for item in change.fields if not same_value(item.old, item.new)]
    companions = set(shapes[change.object].companion_fields())
    telling = [item for item in changed if item.field in companions] or changed
    if any(_holds(record, item.field, item.new) for item in telling):
        return RowResult(Outcome.WRITTEN)
    return _NOT_WRITTEN


def _holds(record: Record, field: str, value: Value) -> bool:
    return same_value(record.values.get(field), value)
