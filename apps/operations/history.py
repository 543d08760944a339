"""The history for a person: which runs there were, what one did, and which of its changes are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import RingfenceError, UsageError
from ringfence.core.model.change_view import view_change
from ringfence.core.model.field_roles import FieldRoles
from ringfence.core.model.review import Review
from ringfence.core.model.values import Outcome
from ringfence.core.model.verdicts import Status
from ringfence.core.state.journal import JournalRow, read_changes
from ringfence.core.state.liveness import as_it_stands
from ringfence.core.state.run_history import Run, find_run, find_undo, list_runs
from ringfence.core.state.store import Store

from ..registry import crm_plugins
from ..wiring import Wiring
from .accounts import shapes_of


@dataclass(frozen=True, slots=True)
class Selection:
    """Which changes of a run are wanted: those with one of the outcomes, of the object, that give a slot the status.

    Empty parts want all.
    """

    outcomes: frozenset[Outcome] = frozenset()
    object_name: str | None = None
    status: Status | None = None

    def takes(self, row: JournalRow, roles: FieldRoles) -> bool:
        """Return whether a change is wanted."""
        if self.outcomes and (row.result is None or row.result.outcome not in self.outcomes):
            return False
        if self.object_name is not None and row.change.object != self.object_name:
            return False
        return self.status is None or self.status in view_change(row.change, roles).statuses()


def select_changes(*, outcomes: frozenset[Outcome], object_name: str | None, status: str | None) -> Selection:
    """Return the selection; ``status`` is a status of a slot, or an outcome of a row. Raises UsageError for another."""
    if status is None:
        return Selection(outcomes, object_name)
    if status in set(Outcome):
        return Selection(outcomes | {Outcome(status)}, object_name)
    if status in set(Status):
        return Selection(outcomes, object_name, Status(status))

    known = [*(each.value for each in Status), *(each.value for each in Outcome)]
    raise UsageError(f"There is no status {status!r}{did_you_mean(status, known)}.", f"There are: {', '.join(known)}.")


@dataclass(frozen=True, slots=True)
class RunReview:
    """A run as it stands now, the run that took it back, if any, and its changes; good while the history is open."""

    run: Run
    undone_by: str | None
    roles: FieldRoles
    _store: Store

    def rows(self, selection: Selection | None = None) -> Iterator[JournalRow]:
        """Yield the wanted changes with their results, in the order of writing."""
        for row in read_changes(self._store, self.run.id):
            if selection is None or selection.takes(row, self.roles):
                yield row

    def review(self) -> Review:
        """Return what the changes that were written amount to; goes through all of them."""
        written = (row.change for row in self.rows(Selection(frozenset({Outcome.WRITTEN}))))
        return Review(self.roles).take(written)


class History:
    """The runs of a state store."""

    def __init__(self, wiring: Wiring, store: Store) -> None:
        self._wiring = wiring
        self._store = store

    def latest(self, most: int) -> list[Run]:
        """Return the latest runs as they stand now, newest first."""
        return [as_it_stands(self._store, run, self._wiring.clock.now()) for run in list_runs(self._store, most)]

    def find(self, run_id: str) -> RunReview:
        """Return the run with that id, or the only one whose id begins or ends so.

        Raises UsageError when no run fits, or more than one.
        """
        run = as_it_stands(self._store, find_run(self._store, run_id), self._wiring.clock.now())
        return RunReview(run, find_undo(self._store, run.id), self._roles(run), self._store)

    def _roles(self, run: Run) -> FieldRoles:
        """Return what the run's fields are for; of a run that did not keep it, what the mapping of today says."""
        if run.roles is not None:
            return run.roles
        if run.system not in crm_plugins():
            return FieldRoles()
        try:
            return FieldRoles.of(shapes_of(self._wiring, run.crm, run.system))
        except RingfenceError:  # a mapping that is wrong today does not hide what was done
            return FieldRoles()


@contextmanager
def open_history(wiring: Wiring) -> Iterator[History]:
    """Yield the history of the configured state store. Raises the errors of the wiring."""
    with closing(wiring.open_state()) as store:
        yield History(wiring, store)
