"""From records read to records due: opt-outs taken in, slots looked at, what needs nothing counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..decisions.coverage import is_reached, is_record_covered
from ..decisions.due import DueReason, Heard, find_due
from ..decisions.due_record import DueRecord
from ..evidence.history import NumberHistory
from ..model.opt_outs import OptOuts
from ..model.policy import Policy
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending
from ..suppression.intake import look_up_opt_outs, record_holdings
from ..suppression.record_reader import read_views
from .summary import Summary


@dataclass(slots=True)
class Examiner:
    """Tells which records of a page are due in this run, and why.

    ``watch`` sees every record once its numbers are worked out. In a rescreen, every filled slot is that was last
    screened before ``rescreen_before``. ``history`` tells what was heard of numbers, and ``may_look_up`` whether a
    lookup can answer a suspicion.
    """

    crm: Crm
    shapes: Mapping[str, ObjectShape]
    ledger: OptOutLedger
    pending: Pending
    policy: Policy
    clock: Clock
    summary: Summary
    watch: Callable[[Sequence[RecordView]], None]
    rescreen_before: datetime | None = None
    history: NumberHistory | None = None
    may_look_up: bool = False

    def examine(self, views: Sequence[RecordView], *, authoritative: bool) -> list[DueRecord]:
        """Take in the records of a page and return those that are due.

        A record that another record's opt-out reaches is put aside: how many records hold the number is known only
        once all have been read. One that this run has handled already, and left to the next, is passed over.
        """
        record_holdings(self.ledger, views, certain=authoritative)
        self.watch(views)
        opt_outs = look_up_opt_outs(self.ledger, views)
        left = self.pending.left(view.key for view in views)

        now = self.clock.now()
        heard = self._hear(views)
        due_records, reached = [], []
        for view in views:
            if left and view.key in left:
                continue
            if is_record_covered(view, opt_outs.covered):
                self.expect_again(view)
                if is_reached(view, opt_outs):
                    reached.append(view.key)
                    continue

            if due := find_due(view, self.policy, now, opt_outs, rescreen_before=self.rescreen_before, heard=heard):
                due_records.append(DueRecord(view, due, authoritative=authoritative, opt_outs=opt_outs))
            else:
                self.skip(view)

        self.pending.enqueue(reached, now)
        return due_records

    def _hear(self, views: Sequence[RecordView]) -> Heard | None:
        signs = self.history.find_of(views) if self.history is not None else {}
        return Heard(signs, self.history.rules, self.may_look_up) if self.history is not None and signs else None

    def leave_refused(self, records: Sequence[DueRecord]) -> list[DueRecord]:
        """Return the records but those that the CRM has refused in an earlier run: they wait, and come last."""
        refused = self.pending.refused(record.view.key for record in records)
        return [record for record in records if record.view.key not in refused]

    def refresh(self, records: Sequence[DueRecord]) -> list[DueRecord]:
        """Read again what came from an index: opt-outs and numbers must be the true ones before money is spent."""
        stale = [record.view.key for record in records if not record.authoritative]
        fresh = [record for record in records if record.authoritative]
        if not stale:
            return fresh

        wanted = set(stale)
        views = [view for view in read_views(self.crm, self.shapes, stale) if view.key in wanted]
        for key in wanted.difference(view.key for view in views):
            self.summary.count_gone(key)
        return fresh + self.examine(views, authoritative=True)

    def find_due(self, view: RecordView, opt_outs: OptOuts) -> dict[str, DueReason]:
        """Return the record's due slots by field name, with the reason of each, under the policy of this run."""
        return find_due(view, self.policy, self.clock.now(), opt_outs, rescreen_before=self.rescreen_before)

    def expect_again(self, view: RecordView) -> None:
        """Take in that an opt-out concerns the record: wherever the run meets it, it counts once."""
        self.summary.tally.expect_again(view.key)

    def skip(self, view: RecordView) -> None:
        """Count a record that needs nothing."""
        self.summary.count_skipped(view)
