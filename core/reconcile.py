"""What a killed run left behind: batches that were sent, with no answer on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .intake import observe
from .plan import same_value
from .ports import Clock, Crm
from .reading import Reading
from .shapes import ObjectShape
from .state.journal import OpenBatch, close_dead_runs, open_batches, settle
from .state.permissions import Permissions
from .state.store import Store
from .values import Change, Outcome, Record, RowResult, Value


def reconcile(crm: Crm, shapes: Mapping[str, ObjectShape], store: Store, org_id: int, run_id: str, clock: Clock) -> int:
    """Find out by reading what became of each row that an earlier run sent without hearing the answer; return how many.

    Nothing is written again here: a row whose write did not land is still in front of a cursor, or waits, and comes
    up again by itself. Must be called under the org's lease, when no earlier run can be alive.
    """
    permissions = Permissions(store, org_id, run_id, clock)
    rows = 0
    for batch in open_batches(store, org_id):
        records = _read(crm, shapes, batch)
        observe(permissions, [Reading(r, shapes[r.object]) for r in records.values()], certain=True)
        results = [_judge(change, records.get((change.object, change.id))) for change in batch.changes]
        settle(store, batch, results, clock.now())
        rows += len(results)
    close_dead_runs(store, org_id, run_id, clock.now())
    return rows


def _read(crm: Crm, shapes: Mapping[str, ObjectShape], batch: OpenBatch) -> dict[tuple[str, str], Record]:
    ids: dict[str, list[str]] = {}
    for change in batch.changes:
        if change.object in shapes:
            ids.setdefault(change.object, []).append(change.id)
    found: dict[tuple[str, str], Record] = {}
    for name, some in ids.items():
        found.update(((name, record.id), record) for record in _fetch(crm, name, some))
    return found


def _fetch(crm: Crm, name: str, ids: Sequence[str]) -> list[Record]:
    return crm.fetch(name, list(dict.fromkeys(ids)))


def _judge(change: Change, record: Record | None) -> RowResult:
    if record is None:
        return RowResult(Outcome.CONFLICT, "GONE", "The record is deleted or merged, or no longer mapped.")
    if all(_holds(record, item.field, item.new) for item in change.fields):
        return RowResult(Outcome.WRITTEN)
    return RowResult(Outcome.LOST, "NOT_WRITTEN", "The run ended before this write landed, or it was changed since.")


def _holds(record: Record, field: str, value: Value) -> bool:
    return same_value(record.values.get(field), value)
