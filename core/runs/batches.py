"""Due records to outcomes, a batch at a time: fetch, screen, plan, write, account for every row."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..clock import whole_seconds
from ..decisions.coverage import describe_related_number, is_covered
from ..decisions.due import DueReason, find_due
from ..decisions.due_record import DueRecord
from ..decisions.mass_change import MassChangeGuard
from ..decisions.plan import plan_change
from ..decisions.previous_verdict import judge_again
from ..model.policy import Policy
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot
from ..model.values import Change, Outcome, RowResult
from ..model.verdicts import Facts, OptOut, Verdict, judge, offline_facts, with_opt_out
from ..numbers import Number
from ..ports.crm import Crm
from ..ports.services import Clock
from ..screening.screening import Question, Screening
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending, PendingReason, PendingRow
from ..suppression.intake import record_holdings
from ..writing.outbox import Delivery, Outbox
from .summary import SHOWN, RefusedRow, Summary

Key = tuple[str, str]


class PendingOutcome(NamedTuple):
    """What is still to be known of a record once its change was handed over; kept small, because many may wait.

    ``raised`` holds the record's numbers where its flag is being raised; ``shown`` the change for the summary's list.
    """

    key: Key
    deferred: bool
    silenced: bool
    raised: tuple[str, ...]
    shown: tuple[Change, ObjectShape, Mapping[str, str]] | None


@dataclass(slots=True)
class InFlightBatch:
    """So many records on their way to an outcome, and what was handed over for them and not accounted for yet."""

    size: int
    parts: deque[tuple[Delivery, Sequence[PendingOutcome]]]

    @property
    def done(self) -> bool:
        """Return whether every outcome is there."""
        return all(delivery.done for delivery, _ in self.parts)


@dataclass(slots=True)
class Pipeline:
    """The middle of a run, shared by every feed."""

    crm: Crm
    shapes: Mapping[str, ObjectShape]
    ledger: OptOutLedger
    pending: Pending
    screening: Screening
    outbox: Outbox
    guard: MassChangeGuard
    policy: Policy
    clock: Clock
    summary: Summary
    rescreen: bool = False
    _under_way: deque[InFlightBatch] = field(default_factory=deque)
    _to_show: int = 5 * SHOWN  # more than is shown, because some may be refused

    def examine(self, views: list[RecordView], *, authoritative: bool) -> list[DueRecord]:
        """Take in the records of a page and return those that are due.

        A record that another record's opt-out reaches is put aside: how many records hold the number is known only
        once all have been read.
        """
        record_holdings(self.ledger, views, certain=authoritative)
        covered = self.ledger.covered({e164 for view in views for e164 in view.all_e164s()})
        left = self.pending.left(view.key for view in views)
        items, aside = [], []
        for view in views:
            if left and view.key in left:
                continue
            if self._is_reached(view, covered):
                aside.append(view.key)
            elif due := self.find_due(view, covered):
                items.append(DueRecord(view, due, authoritative=authoritative, covered=covered))
            else:
                self.skip(view)
        self.pending.enqueue(aside, self.clock.now())
        return items

    def process(self, batch: list[DueRecord]) -> int:
        """Decide about every record of the batch and hand its changes over; return how many records have an outcome
        now, of this batch and of earlier ones, in their order.
        """
        items = self.refresh(batch)
        facts = self._screen(items)
        changes: list[tuple[DueRecord, Change]] = []
        settled: list[DueRecord] = []
        for item in items:
            self._decide(item, facts)
            change = plan_change(item.view, item.verdicts, raise_flag=item.raise_flag)
            if change is not None:
                changes.append((item, change))
            else:
                settled.append(item)
        self.guard.check()
        self._settle_unwritten(settled)
        deliveries = self.outbox.post([change for _, change in changes])
        rows = [self._row(item, change) for item, change in changes]
        self._under_way.append(
            InFlightBatch(len(batch), deque((d, [rows[place] for place in d.places]) for d in deliveries))
        )
        return self._account()

    def drain(self) -> int:
        """Wait for everything under way; return how many records have got their outcome by that."""
        self.outbox.flush()
        return self._account(wait=True)

    def close(self) -> int:
        """End in the middle of the work, with an outcome for what has one; return for how many records in a row."""
        self.outbox.close([delivery for batch in self._under_way for delivery, _ in batch.parts])
        done, in_a_row = 0, True
        while self._under_way:
            batch = self._under_way.popleft()
            left = [part for part in batch.parts if not part[0].succeeded]
            for delivery, rows in batch.parts:
                if delivery.succeeded:
                    self._account_part(delivery, rows)
            in_a_row = in_a_row and not left
            done += batch.size if in_a_row else 0
        return done

    def find_due(self, view: RecordView, covered: frozenset[str]) -> dict[str, DueReason]:
        """Return the record's due slots under the policy of this run."""
        return find_due(view, self.policy, self.clock.now(), covered, rescreen=self.rescreen)

    @staticmethod
    def _is_reached(view: RecordView, covered: frozenset[str]) -> bool:
        can_be_flagged = view.shape.opt_out is not None and not view.flagged
        return can_be_flagged and not covered.isdisjoint(view.all_e164s())

    def refresh(self, batch: list[DueRecord]) -> list[DueRecord]:
        """Read again what came from an index: opt-outs and numbers must be the true ones before money is spent."""
        stale: dict[str, list[str]] = {}
        for item in batch:
            if not item.authoritative:
                stale.setdefault(item.view.record.object, []).append(item.view.record.id)
        items = [item for item in batch if item.authoritative]
        for name, ids in stale.items():
            views = [RecordView(record, self.shapes[name]) for record in self.crm.fetch(name, ids)]
            gone = set(ids) - {view.record.id for view in views}
            counts = self.summary.counts(name)
            counts.read += len(gone)
            counts.due += len(gone)
            counts.conflicts += len(gone)
            wanted = set(ids)
            items += self.examine([r for r in views if r.record.id in wanted], authoritative=True)
        return items

    def _screen(self, items: Iterable[DueRecord]) -> Mapping[Number, Facts | None]:
        """Decide about the slots that need no facts, and return those about the numbers in the others."""
        questions: dict[Number, bool] = {}
        for item in items:
            view = item.view
            for slot in view.shape.slots:
                if (why := item.due.get(slot.field)) is None:
                    continue
                if not view.content(slot):
                    item.verdicts[slot.field] = None
                elif item.raise_flag or is_covered(view, slot, item.covered):
                    item.silenced = True
                    self._take_verdict(item, slot, view.number(slot), self._silence(item, slot))
                else:
                    number = view.number(slot)
                    item.asked.append((slot, number))
                    questions[number] = why is not DueReason.PERMISSION or questions.get(number, False)
        return self.screening.screen(Question(number, may_buy) for number, may_buy in questions.items())

    def _silence(self, item: DueRecord, slot: Slot) -> Verdict:
        now = whole_seconds(self.clock.now())
        facts = offline_facts(item.view.number(slot), now)
        if item.view.flagged:
            return judge(with_opt_out(facts, OptOut.OWN, now))
        return judge(with_opt_out(facts, OptOut.SHARED, now, describe_related_number(item.view, slot, item.covered)))

    def _decide(self, item: DueRecord, facts: Mapping[Number, Facts | None]) -> None:
        buy = self.screening.buy
        for slot, number in item.asked:
            known = facts[number]
            if known is None:
                item.deferred = True
            elif buy:
                self._take_verdict(item, slot, number, judge_again(item.view, slot, known))
            else:
                # A dry run asks nobody, so that its answers tell nothing.
                self._take_verdict(item, slot, number, judge(known))

    def _take_verdict(self, item: DueRecord, slot: Slot, number: Number, verdict: Verdict) -> None:
        item.verdicts[slot.field] = verdict
        self.guard.watch(item.view, slot, verdict)
        self.summary.counts(item.view.record.object).screened += 1
        self.summary.statuses[verdict.status] += 1
        self.summary.repaired += bool(number.repairs)
        self.summary.due_reasons[item.due[slot.field]] += 1

    def skip(self, view: RecordView) -> None:
        """Count a record that needs nothing."""
        counts = self.summary.counts(view.record.object)
        counts.read += 1
        counts.skipped_recent += 1
        if not view.record.in_scope:
            self.summary.skip_reasons["out_of_filter"] += 1
        elif any(view.contents().values()):
            self.summary.skip_reasons["fresh"] += 1
        else:
            self.summary.skip_reasons["no_number"] += 1

    def _count_unwritten(self, item: DueRecord) -> None:
        counts = self.summary.counts(item.view.record.object)
        counts.read += 1
        counts.due += 1
        if item.deferred:
            counts.deferred += 1
        else:
            counts.unchanged += 1

    def _settle_unwritten(self, settled: Sequence[DueRecord]) -> None:
        for item in settled:
            self._count_unwritten(item)
        waiting = [item.view.key for item in settled if item.deferred]
        self.pending.remove([item.view.key for item in settled if not item.deferred])
        self.pending.put([PendingRow(*key, PendingReason.DEFERRED) for key in waiting], self.clock.now())

    def _row(self, item: DueRecord, change: Change) -> PendingOutcome:
        view = item.view
        raised = view.all_e164s() if item.raise_flag else ()
        shown = None
        if self._to_show:
            self._to_show -= 1
            shown = (change, view.shape, view.contents())
        return PendingOutcome(view.key, item.deferred, item.raise_flag or item.silenced, raised, shown)

    def _account(self, *, wait: bool = False) -> int:
        done = 0
        while self._under_way and (wait or self._under_way[0].done):
            batch = self._under_way[0]
            while batch.parts:
                self._account_part(*batch.parts[0])
                batch.parts.popleft()
            done += self._under_way.popleft().size
        return done

    def _account_part(self, delivery: Delivery, rows: Sequence[PendingOutcome]) -> None:
        results = self.outbox.take(delivery)
        written: list[PendingOutcome] = []
        waiting: list[PendingRow] = []
        for row, result in zip(rows, results, strict=True):
            if result.outcome is Outcome.WRITTEN:
                written.append(row)
            else:
                waiting.append(self._count_failure(row, result))
        self._count_written(written)
        # Keep for the next run what is still owed, and forget what is not.
        waiting += [PendingRow(*row.key, PendingReason.DEFERRED) for row in written if row.deferred]
        self.pending.remove([row.key for row in written if not row.deferred])
        self.pending.put(waiting, self.clock.now())
        self.ledger.raise_flags([(*row.key, row.raised) for row in written if row.raised])

    def _count_written(self, rows: Sequence[PendingOutcome]) -> None:
        for name, count in Counter(row.key[0] for row in rows).items():
            counts = self.summary.counts(name)
            counts.read += count
            counts.due += count
            counts.written += count
        for row in rows:
            if row.silenced:
                self.summary.counts(row.key[0]).opt_outs_enforced += 1
            if row.shown:
                self.summary.show_change(*row.shown)

    def _count_failure(self, row: PendingOutcome, result: RowResult) -> PendingRow:
        name, record_id = row.key
        counts = self.summary.counts(name)
        counts.read += 1
        counts.due += 1
        if result.outcome is Outcome.REFUSED:
            counts.failed += 1
            if len(self.summary.refused) < SHOWN:
                self.summary.refused.append(RefusedRow(name, record_id, result.code, result.message))
            return PendingRow(*row.key, PendingReason.FAILED, result.code, result.message)
        counts.conflicts += 1
        return PendingRow(*row.key, PendingReason.CONFLICT, result.code, result.message)
