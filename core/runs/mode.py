"""Whether a run acts or rehearses: one object that chooses its store, its writer and its way to the providers.

::

    Live         writes to the CRM, buys lookups, keeps what it learns
    Rehearsal    a dry run: writes nothing, buys nothing, and works on a store that is thrown away
    Planning     a dry run that leaves its changes in a plan file
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from ..decisions.previous_verdict import judge_again
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot
from ..model.verdicts import Facts, Verdict, judge
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import Journal
from ..state.store import Store
from ..writing.plan_file import PlanWriter
from ..writing.writer import ChangeWriter, PlanningWriter, RehearsalWriter


class RunMode(Protocol):
    """What differs between a run that acts and one that rehearses."""

    @property
    def dry_run(self) -> bool:
        """Return whether nothing is written to the CRM and nothing is bought."""
        ...

    @property
    def leaves_open(self) -> bool:
        """Return whether records whose lookup would be bought stay open, instead of being judged without it."""
        ...

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store that the run works on, for as long as it runs."""
        ...

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return what carries out the run's changes."""
        ...

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict on a screened slot."""
        ...


class Live:
    """A run that writes and buys."""

    dry_run = False
    leaves_open = False

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store itself."""
        return nullcontext(store)

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends changes to the CRM."""
        return ChangeWriter(crm, shapes, journal, clock)

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict, in the light of the one that the slot holds."""
        return judge_again(view, slot, facts)


class Rehearsal:
    """A dry run: nothing is written to the CRM, nothing is bought, and the state is as it was before."""

    dry_run = True
    leaves_open = False

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give a store that sees its own writes and loses them at the end."""
        return store.rehearsal()

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends nothing."""
        return RehearsalWriter(crm, shapes, journal, clock)

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:  # noqa: ARG002 - the contract's parameters
        """Return the verdict by the facts alone: nobody was asked, so an answer without news says nothing here."""
        return judge(facts)


@dataclass(frozen=True, slots=True)
class Planning(Rehearsal):
    """A dry run that writes its changes into a plan file. What a lookup has yet to say stays out of it."""

    plan: PlanWriter
    leaves_open = True

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that puts changes into the plan file."""
        return PlanningWriter(crm, shapes, journal, clock, self.plan)
