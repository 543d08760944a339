"""The writers of a run: changes to outcomes by journal, CRM and journal again, or in rehearsal only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import RingfenceError
from ..model.shapes import ObjectShape
from ..model.values import Change, Outcome, RowResult
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import Journal
from .plan_file import PlanWriter


class ChangeWriter:
    """Carries out the changes of one run, and is the last door before the CRM."""

    def __init__(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> None:
        self._crm = crm
        self._owned = {name: shape.owned_fields() for name, shape in shapes.items()}
        self._flags = {name: {each.field: each for each in shape.opt_outs} for name, shape in shapes.items()}
        self._harmless: set[tuple[str, tuple[str, ...]]] = set()  # objects with fields of theirs that may say anything
        self._journal = journal
        self._clock = clock

    def apply(self, changes: Sequence[Change]) -> list[RowResult]:
        """Write the changes and return one result for each, in order. The journal knows of them before the CRM does."""
        if not self.admit(changes):
            return [RowResult(Outcome.WRITTEN)] * len(changes)

        seq = self._journal.plan_batch(changes, self._clock.now())
        results = self.write(changes)
        self._journal.settle_batch(seq, results, self._clock.now())
        return results

    def admit(self, changes: Sequence[Change]) -> bool:
        """Look the changes over and return whether there is something to send.

        Raises RingfenceError for a change that would break a promise.
        """
        for change in changes:
            self._refuse_foreign_fields(change)
        return bool(changes)

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """Send changes that the journal knows of, and return one result for each. Safe in a thread of its own."""
        results = self._crm.write(changes)
        if len(results) != len(changes):
            raise RingfenceError(f"{self._crm.name} gave {len(results)} results for {len(changes)} changes.")
        return results

    def _refuse_foreign_fields(self, change: Change) -> None:
        """Keep two promises at the last door: only owned fields are written, and a flag is never lowered."""
        kind = (change.object, change.names)
        if kind in self._harmless:
            return
        owned, flags = self._owned[change.object], self._flags[change.object]
        for item in change.fields:
            if item.field not in owned:
                raise RingfenceError(f"A change of {change.object} {change.id} names {item.field}, which is not ours.")
            if (flag := flags.get(item.field)) is not None and not flag.is_up(item.new):
                raise RingfenceError(f"A change of {change.object} {change.id} would lower {item.field}.")
        if flags.keys().isdisjoint(change.names):
            self._harmless.add(kind)


class RehearsalWriter(ChangeWriter):
    """The writer of a dry run: it carries out nothing, and every row counts as written."""

    def admit(self, changes: Sequence[Change]) -> bool:
        """Look the changes over; there is never something to send."""
        super().admit(changes)
        return False


class PlanningWriter(RehearsalWriter):
    """The writer of a dry run that leaves a plan file."""

    def __init__(
        self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock, plan: PlanWriter
    ) -> None:
        super().__init__(crm, shapes, journal, clock)
        self._plan = plan

    def admit(self, changes: Sequence[Change]) -> bool:
        """Look the changes over and put them into the plan; there is never something to send."""
        super().admit(changes)
        if changes:
            self._plan.add(changes)
        return False
