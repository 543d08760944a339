"""A plan file carried out: that plan and nothing else, without the rows that changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..decisions.coverage import find_unraised, is_covered, is_record_covered, is_silenced, silenced_slots
from ..decisions.plan import same_value
from ..decisions.wrong_person import is_wrong_person
from ..errors import ErrorCode, UsageError
from ..model.blocks import EVERY_WAY
from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView, screened_value, text
from ..model.values import Change, Companion, FieldChange, Outcome, RowResult, Value
from ..model.verdicts import Status
from ..state.holdings import Raised
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending
from ..state.run_history import find_applied, new_run_id
from ..suppression.intake import look_up_opt_outs
from ..suppression.mapping_guard import check_opt_out_fields
from ..suppression.record_reader import RecordReader
from ..writing.plan_reader import read_plan
from ..writing.writer import ChangeWriter
from .mode import Live
from .opt_outs import take_in_opt_outs
from .outcomes import OutcomeRecorder, PendingOutcome, ShownChange, find_rewrites
from .run import RunContext, SyncJob, open_run
from .summary import Summary


def apply_plan(job: SyncJob, path: Path) -> Summary:
    """Write the changes of a plan file and return what became of them.

    Opt-outs are taken in first. A row is left out, and counts as a conflict, when one of the fields to write or the
    phone field behind it has changed since the plan, or when an opt-out has reached one of its numbers.

    Raises FileError for a file that is damaged or edited, UsageError for one that is old, of another org or
    already applied, and what
    :func:`ringfence.core.runs.run.open_run` raises.
    """
    head, batches = read_plan(path, job.store.keyring, job.clock.now())
    if head.org != job.org.key:
        raise UsageError(
            f"{path} was planned for {head.org}, and this is {job.org.key}.", "Use that org's credentials."
        )
    if applied := find_applied(job.store, head.run_id):
        raise UsageError(
            f"{path} is already applied, by run {applied}.", "Make a new plan.", code=ErrorCode.PLAN_ALREADY_APPLIED
        )
    summary = Summary(new_run_id(job.clock.now()), job.name, org=job.org.name)
    with open_run(job, summary, {"apply": head.run_id}, Live()) as context:
        application = PlanApplication(context, summary)
        application.ingest_opt_outs()
        for changes in batches:
            context.heartbeat()
            application.apply(changes)
            job.progress.advance(len(changes))

        summary.complete = True
        written = summary.total("written")
        summary.fewest_api_calls = job.crm.fewest_calls(written, written, full=False)
    return summary


_CHANGED_SINCE = RowResult(
    Outcome.CONFLICT, "CHANGED_SINCE_PLAN", "The record was changed, deleted or opted out since the plan was made."
)


class PlanApplication:
    """The changes of a plan on their way to the CRM."""

    def __init__(self, context: RunContext, summary: Summary) -> None:
        job = context.job
        pending = Pending(job.store, context.org_id, summary.run_id)
        self._job = job
        self._summary = summary
        self._context = context
        self._ledger = OptOutLedger(job.store, context.org_id, summary.run_id, job.clock, job.name)
        self._reader = RecordReader(job.crm, job.shapes, self._ledger)
        self._writer = ChangeWriter(job.crm, job.shapes, context.journal, job.clock)
        self._recorder = OutcomeRecorder(summary, pending, self._ledger, job.clock)

    def ingest_opt_outs(self) -> None:
        """Take in the flags that were raised or lowered since the last sync."""
        check_opt_out_fields(self._ledger, self._job.shapes, accepted=False)
        take_in_opt_outs(self._context, self._ledger)

    def apply(self, changes: Sequence[Change]) -> None:
        """Write those of the changes that still fit their records, and account for all of them."""
        views = self._reader.read_by_key(change[:2] for change in changes)
        opt_outs = look_up_opt_outs(self._ledger, list(views.values()))

        fitting: list[Change] = []
        stale: list[Change] = []
        rows: list[PendingOutcome] = []
        for change in changes:
            view = views.get((change.object, change.id))
            fitted = _fit(change, view, opt_outs) if view else None
            if view is None or fitted is None:
                self._summary.count_conflict(PendingOutcome(change[:2], len(change.names)), _CHANGED_SINCE)
                stale.append(change)
            elif not fitted.names:
                self._summary.count_unchanged(change[:2], ())
            else:
                fitting.append(fitted)
                rows.append(_await_outcome(fitted, view, opt_outs))

        self._keep_conflicts(stale)
        self._recorder.record(rows, self._writer.apply(fitting))

    def _keep_conflicts(self, changes: Sequence[Change]) -> None:
        """Let the history tell what was left out, and why."""
        if changes:
            journal, now = self._context.journal, self._job.clock.now()
            journal.settle_batch(journal.plan_batch(changes, now), [_CHANGED_SINCE] * len(changes), now)


def _raises_flag(change: Change, view: RecordView) -> bool:
    return not view.shape.own_flags().keys().isdisjoint(change.names)


def _await_outcome(change: Change, view: RecordView, opt_outs: OptOuts) -> PendingOutcome:
    raises = _raises_flag(change, view)
    silenced = sum(1 for _ in silenced_slots(view.shape, change.new_values()))
    return PendingOutcome(
        view.key,
        len(change.names),
        silenced=raises or silenced > 0,
        raises_flag=raises,
        rewrites=find_rewrites(change),
        silenced_slots=silenced,
        raised=_raise(view, opt_outs) if raises else None,
        shown=ShownChange(change, view.shape, view.contents()),
    )


def _raise(view: RecordView, opt_outs: OptOuts) -> Raised:
    numbers = view.all_e164s()
    blocks = find_unraised(view, opt_outs, numbers) or EVERY_WAY
    return Raised(*view.key, numbers, blocks, view.shape.channels)


def _fit(change: Change, view: RecordView, opt_outs: OptOuts) -> Change | None:
    """Return the change as the record needs it now, or None where the record is not the one the plan was made for.

    A plan may name a record twice: once as it was first judged, and again as an opt-out reached it, both from what the
    record said before. So what silences a slot is not kept back by what the slot's companions say by now.
    A flag goes up only where an opt-out still asks for it, because no sync would lower it again.
    """
    held, is_covered_now = view.record.values, is_record_covered(view, opt_outs.covered)
    if _is_about_another(change, view, opt_outs) or (_raises_flag(change, view) and not is_covered_now):
        return None

    silenced = set(_silenced_fields(change, view))
    left = [item for item in change.fields if not same_value(held.get(item.field), item.new)]
    if not silenced and left:
        return change if all(_is_as_planned(item, held.get(item.field)) for item in change.fields) else None
    if silenced and not is_covered_now and not _stays_silent(change, view):
        return None
    if any(item.field not in silenced and not _is_as_planned(item, held.get(item.field)) for item in left):
        return None

    fields = [FieldChange(item.field, held.get(item.field), item.new) for item in left]
    guard = {item.field: change.guard[item.field] for item in left if item.field in change.guard}
    return Change.of(change.object, change.id, fields, guard, view.record.modified)


def _is_as_planned(item: FieldChange, held: Value) -> bool:
    """Return whether a field holds what it did. A checkbox that is not set read as nothing while it was hidden."""
    return same_value(held, item.old) or (item.old is None and held is False)


def _stays_silent(change: Change, view: RecordView) -> bool:
    """Return whether the change silences only slots that are silent, as for an opt-out that nobody has lifted."""
    return all(is_silenced(view, slot) for slot in silenced_slots(view.shape, change.new_values()))


def _silenced_fields(change: Change, view: RecordView) -> Iterator[str]:
    for slot in silenced_slots(view.shape, change.new_values()):
        yield from slot.companions.values()


def _is_about_another(change: Change, view: RecordView, opt_outs: OptOuts) -> bool:
    """Return whether a phone field holds something else by now, or what is known of its number has changed since.

    An opt-out has reached one that would speak, or somebody has said, or taken back, that it is another person's.
    """
    covered = opt_outs.silencing(view.shape)
    planned = change.new_values()
    for slot in view.shape.slots:
        if planned.keys().isdisjoint(slot.companions.values()):
            continue

        screened_field = slot.companions[Companion.SCREENED_VALUE]
        screened = planned.get(screened_field, view.record.values.get(screened_field))
        if text(screened) != screened_value(text(planned.get(slot.field, view.content(slot)))):
            return True

        status = planned.get(slot.companions[Companion.STATUS])
        if status is None or status == Status.DO_NOT_CONTACT:
            continue
        if is_covered(view, slot, covered):
            return True
        if is_wrong_person(view, slot, opt_outs) is not (status == Status.WRONG_PERSON):
            return True
    return False
