"""What is known of a part of a run that somebody had begun: its counts, and what the journal says came after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ..decisions.coverage import silenced_slots
from ..decisions.due import DueReason
from ..decisions.due_record import JudgedSlot, judged_slot
from ..model.record_view import text
from ..model.shapes import ObjectShape
from ..model.values import Change, Companion, Outcome
from ..screening.gateway import Tally
from ..screening.prices import price_of
from ..state.journal import Stretch, last_seq, read_changes
from ..state.lookup_cache import LookupCache
from ..state.run_parts import PartState, RunPart
from ..writing.reconcile import reconcile_part
from .outcomes import PendingOutcome, find_rewrites
from .part_counts import add_counts
from .run import SyncJob
from .summary import Summary


def recover(
    job: SyncJob, org_id: int, part: RunPart, summary: Summary, tally: Tally, heartbeat: Callable[[], None]
) -> Counter[str]:
    """Add what the part has counted so far to the summary and the tally; return the calls it has made, by purpose.

    What was sent without hearing the answer is settled first. Rows that were written behind the place where the counts
    were stored count as written, and no second time where they are read again.
    """
    counts = part.counts or {}
    if counts:
        add_counts(summary, tally, counts)

    counted = Stretch(part.run_id, counts.get("seq", part.stretch.after), part.stretch.until)
    if last_seq(job.store, counted) > counted.after:
        summary.reconciled += reconcile_part(job.crm, job.shapes, job.store, org_id, counted, job.clock, heartbeat)
        _count_written(job, counted, summary)
    if part.renewed_at is not None and part.state not in (PartState.DONE, PartState.FAILED):
        _count_bought(job, part, tally, counts)
    return Counter(counts.get("calls", {}))


def _count_bought(job: SyncJob, part: RunPart, tally: Tally, counts: Mapping[str, Any]) -> None:
    """Count what was bought behind the place where the counts were stored."""
    bought = LookupCache(job.store, part.run_id, part=part.part).count_bought() if job.lookups else {}
    counted = counts.get("screening", {}).get("providers", {})
    for lookup in job.lookups:
        ours = tally.of(lookup.name)
        known = counted.get(lookup.name, {}).get("asked", 0)
        more = max(0, bought.get(lookup.realm, 0) - known)
        ours.asked += more
        ours.cost = round(ours.cost + price_of(lookup) * more, 6)
        tally.lookups += more


def _count_written(job: SyncJob, stretch: Stretch, summary: Summary) -> None:
    for row in read_changes(job.store, stretch.run_id, stretch):
        if row.result is not None and row.result.outcome is Outcome.WRITTEN:
            outcome = _as_outcome(row.change, job.shapes[row.change.object])
            summary.tally.remember(outcome.key)
            summary.count_written([outcome])


def _as_outcome(change: Change, shape: ObjectShape) -> PendingOutcome:
    """Return what counts of a change that was written, as far as the change itself tells."""
    new = change.new_values()
    raises = not shape.own_flags().keys().isdisjoint(change.names)
    slots = sum(1 for _ in silenced_slots(shape, new))
    return PendingOutcome(
        (change.object, change.id),
        len(change.names),
        silenced=raises or slots > 0,
        judged=tuple(_judged(change, shape)),
        silenced_slots=slots,
        raises_flag=raises,
        rewrites=find_rewrites(change),
    )


def _judged(change: Change, shape: ObjectShape) -> list[JudgedSlot]:
    """Return the verdicts that the change brought; one that was only confirmed does not name its status."""
    if change.is_erased:
        return []
    by_field = {item.field: item for item in change.fields}
    found = []
    for slot in shape.slots:
        status = by_field.get(slot.companions[Companion.STATUS])
        if status is None or status.new is None:
            continue
        reason = by_field.get(slot.companions[Companion.REASON])
        due = DueReason.CHANGED if status.old else DueReason.NEW
        code = text(reason.new).partition(":")[0] if reason else ""
        found.append(judged_slot(text(status.new), due, code, False))
    return found
