"""A run taken back: exactly the fields that still hold what it wrote, and never an opt-out.

Taking a lift back raises the flags again that it lowered: that tightens. The entries that it ended stay ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..decisions.coverage import find_said, is_covered, silenced_slots
from ..decisions.lowering import is_flag, lowers_flag
from ..decisions.plan import same_value
from ..decisions.wrong_person import is_wrong_person
from ..errors import ErrorCode, UsageError
from ..model.field_roles import FieldRoles
from ..model.masking import show_value
from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.values import Change, Companion, FieldChange, Outcome, Value
from ..model.verdicts import OptOut
from ..state.holdings import Holding, Key, Raised
from ..state.journal import JournalRow, read_batches_backwards
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import Run, new_run_id
from ..suppression.intake import look_up_opt_outs
from ..suppression.record_reader import RecordReader
from ..writing.writer import ChangeWriter
from .ending import end_as_json
from .mode import Live, Rehearsal
from .opt_outs import take_in_opt_outs
from .outcomes import PendingOutcome, ShownChange, count_results
from .row_counts import RowCounts
from .run import SyncJob, open_run
from .shown import as_values, show_change
from .summary import SHOWN

CHANGED_SINCE = "changed since"
OPT_OUT = "opt-outs are not taken back"
WRONG_PERSON = "the number is somebody else's"
GONE = "the record is deleted or merged"
NOT_MAPPED = "no longer in the mapping"
VALUES_ERASED = "the number was erased, and with it what the field held"


@dataclass(slots=True)
class UndoSummary(RowCounts):
    """What an undo did.

    ``kept`` counts fields that were left as they are, by reason; ``kept_rows`` names the first, and ``changed_since``
    the first of those that hold something else by now, with what the run wrote and what they hold, masked. ``objects``
    counts by object the records that were set back, the verdicts of slots and the phone fields among their fields.
    """

    run_id: str
    undone: str
    crm: str
    dry_run: bool
    complete: bool = False
    records: int = 0
    fields: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    kept_rows: list[dict[str, str]] = field(default_factory=list)
    changed_since: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, dict[str, int]] = field(default_factory=dict)
    changes_shown: list[dict[str, Any]] = field(default_factory=list)

    def count_written(self, rows: Sequence[PendingOutcome]) -> None:
        """Count records that were set back, and keep the first of the changes for showing."""
        for row in rows:
            self.records += 1
            self.fields += row.fields
            if row.shown:
                self._count_fields(row.shown)
            if row.shown and len(self.changes_shown) < SHOWN:
                self.changes_shown.append(show_change(row.shown))

    def _count_fields(self, shown: ShownChange) -> None:
        counts = self.objects.setdefault(shown.change.object, {"records": 0, "verdicts": 0, "phones": 0})
        statuses = {slot.companions[Companion.STATUS] for slot in shown.shape.slots}
        counts["records"] += 1
        counts["verdicts"] += sum(name in statuses for name in shown.change.names)
        counts["phones"] += sum(name in {slot.field for slot in shown.shape.slots} for name in shown.change.names)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **as_values(self),
            "kept": dict(self.kept),
            **end_as_json(self.end, refused_rows=self.refused_rows()),
        }


def undo_run(job: SyncJob, run: Run, *, dry_run: bool) -> UndoSummary:
    """Take back a run, newest batch first, so that a record it wrote twice ends as it was before.

    The undo is a run of its own in the history. Raises UsageError where there is nothing that could be taken back, and
    what :func:`ringfence.core.runs.run.open_run` raises.
    """
    if run.dry_run:
        raise UsageError(f"Run {run.id} was a dry run: it wrote nothing.", code=ErrorCode.UNDO_OF_DRY_RUN)

    summary = UndoSummary(new_run_id(job.clock.now()), run.id, job.name, dry_run)
    mode = Rehearsal() if dry_run else Live()
    with open_run(job, summary, {"undo": run.id}, mode) as context:
        if run.org_id != context.org_id:
            raise UsageError(f"Run {run.id} wrote to another account.", "Set the credentials of that account.")

        # Fields that the run rewrote are set back also under a mapping that would leave them: the journal knows them.
        context = replace(context, job=replace(context.job, shapes=_with_phones(job.shapes)))
        ledger = OptOutLedger(context.job.store, context.org_id, summary.run_id, job.clock, job.name)
        take_in_opt_outs(context, ledger)

        writer = mode.make_writer(job.crm, context.job.shapes, context.journal, job.clock)
        for rows in read_batches_backwards(job.store, run.id):
            context.heartbeat()
            _undo_batch(context.job, writer, ledger, rows, summary)
            job.progress.advance(len(rows))
        summary.complete = True
    return summary


def _with_phones(shapes: Mapping[str, ObjectShape]) -> dict[str, ObjectShape]:
    """Return the shapes so that phone fields may be written."""
    return {
        name: replace(shape, slots=tuple(replace(slot, normalize=True) for slot in shape.slots))
        for name, shape in shapes.items()
    }


def _undo_batch(
    job: SyncJob, writer: ChangeWriter, ledger: OptOutLedger, rows: Sequence[JournalRow], summary: UndoSummary
) -> None:
    changes = [row.change for row in rows if row.result and row.result.outcome is Outcome.WRITTEN]
    views = RecordReader(job.crm, job.shapes, ledger).read_by_key(change[:2] for change in changes)
    opt_outs = look_up_opt_outs(ledger, list(views.values()))

    reversals: list[Change] = []
    awaited: list[PendingOutcome] = []
    for change in changes:
        view = views.get((change.object, change.id))
        reversal = _reverse(change, view, job.shapes, opt_outs, summary)
        if view is not None and reversal is not None:
            reversals.append(reversal)
            shown = ShownChange(reversal, view.shape, view.contents())
            raises = any(is_flag(view.shape, name) for name in reversal.names)
            awaited.append(PendingOutcome(view.key, len(reversal.names), shown=shown, raises_flag=raises))

    written, _ = count_results(summary, awaited, writer.apply(reversals))
    raised = {each[:2]: set(each.names) for each in reversals}
    _note_raised(ledger, {row.key: raised[row.key] for row in written if row.raises_flag}, views)


def _note_raised(ledger: OptOutLedger, raised: Mapping[Key, set[str]], views: Mapping[Key, RecordView]) -> None:
    """Record whose the flags are that go up again where a lift is taken back: those by ringfence cover nobody.

    The others cover their numbers at once, and not from the next sync on.
    """
    derived: list[Raised] = []
    others: list[Holding] = []
    for key, names in raised.items():
        view = views[key]
        shape, numbers = view.shape, view.all_e164s()
        if find_said(view) is OptOut.SHARED:
            derived.append(Raised(*key, numbers, flags=shape.channels))
        else:
            up = view.up.union(flag.channel for flag in shape.opt_outs if flag.field in names)
            others.append(Holding(*key, numbers, flagged=True, up=up, mapped=shape.channels))
    ledger.raise_flags(derived)
    ledger.record(others)


def _reverse(
    change: Change,
    view: RecordView | None,
    shapes: Mapping[str, ObjectShape],
    opt_outs: OptOuts,
    summary: UndoSummary,
) -> Change | None:
    shape = shapes.get(change.object)
    if change.is_erased:
        for item in change.fields:
            _keep(summary, change, item, VALUES_ERASED)
        return None
    if shape is None or view is None:
        for item in change.fields:
            _keep(summary, change, item, NOT_MAPPED if shape is None else GONE)
        return None

    record = view.record
    owned, kept = shape.owned_fields(), {*_silenced_fields(change, view, opt_outs), *shape.flag_fields()}
    kept -= {item.field for item in change.fields if lowers_flag(shape, item)}  # a lift's: they go up again
    somebody_elses = set(_somebody_elses_fields(view, opt_outs))
    fields: list[FieldChange] = []
    guard: dict[str, Value] = {}
    for item in change.fields:
        if item.field in kept:
            _keep(summary, change, item, OPT_OUT)
        elif item.field in somebody_elses:
            _keep(summary, change, item, WRONG_PERSON)
        elif item.field not in owned:
            _keep(summary, change, item, NOT_MAPPED)
        elif not same_value(record.values.get(item.field), item.new):
            _keep(summary, change, item, CHANGED_SINCE)
            _show_changed(summary, view, change, item)
        else:
            fields.append(FieldChange(item.field, record.values.get(item.field), item.old))
            if item.field in change.guard:
                guard[item.field] = record.values.get(item.field)

    return Change.of(change.object, change.id, fields, guard, record.modified) if fields else None


def _show_changed(summary: UndoSummary, view: RecordView, change: Change, item: FieldChange) -> None:
    """Keep the first fields that hold something else than the run wrote, with both."""
    if len(summary.changed_since) < SHOWN:
        role = FieldRoles.of({change.object: view.shape}).of_object(change.object).get(item.field)
        holds = view.record.values.get(item.field)
        summary.changed_since.append(
            {
                "object": change.object,
                "id": change.id,
                "field": item.field,
                "wrote": show_value(item.new, role),
                "holds": show_value(holds, role),
                "why": CHANGED_SINCE,
            }
        )


def _silenced_fields(change: Change, view: RecordView, opt_outs: OptOuts) -> Iterator[str]:
    """Yield the fields of slots that the run silenced, that a later one did, or that the next one will.

    A verdict goes when its screened value or the phone field changes, and with it the opt-out would.
    """
    shape = view.shape
    slots = [slot for values in (change.new_values(), view.record.values) for slot in silenced_slots(shape, values)]
    covered = opt_outs.silencing(shape)
    slots += [slot for slot in shape.slots if is_covered(view, slot, covered)]
    for slot in slots:
        yield slot.field
        yield from slot.companions.values()


def _somebody_elses_fields(view: RecordView, opt_outs: OptOuts) -> Iterator[str]:
    """Yield the fields of slots whose number is another person's than the record's."""
    for slot in view.shape.slots:
        if is_wrong_person(view, slot, opt_outs):
            yield from (slot.field, *slot.companions.values())


def _keep(summary: UndoSummary, change: Change, item: FieldChange, why: str) -> None:
    summary.kept[why] += 1
    if len(summary.kept_rows) < SHOWN:
        summary.kept_rows.append({"object": change.object, "id": change.id, "field": item.field, "why": why})
