"""Whether a run acts or rehearses: one object that chooses its store, its writer and its way to the providers.

::

    Live         writes to the CRM, buys lookups, keeps what it learns
    Withholding  does the same without buying, because nobody has agreed to the cost
    Rehearsal    a dry run: writes nothing, buys nothing, and works on a store that is thrown away
    Planning     a dry run that leaves its changes in a plan file
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..decisions.previous_verdict import judge_again
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot
from ..model.verdicts import Facts, Verdict, judge
from ..ports.crm import Crm
from ..ports.services import Clock
from ..screening.buying import BuyingGateway, OnAnswer
from ..screening.gateway import KnownAnswers, LookupGateway
from ..screening.rehearsing import RehearsingGateway
from ..screening.withholding import WithholdingGateway
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

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store that the run works on, for as long as it runs."""
        ...

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return what carries out the run's changes."""
        ...

    def make_gateway(
        self, known: KnownAnswers, clock: Clock, max_lookups: int | None, on_answer: OnAnswer
    ) -> LookupGateway:
        """Return the way to the providers; see :class:`ringfence.core.screening.buying.BuyingGateway`."""
        ...

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict on a screened slot."""
        ...


class Live:
    """A run that writes and buys."""

    dry_run = False

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store itself."""
        return nullcontext(store)

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends changes to the CRM."""
        return ChangeWriter(crm, shapes, journal, clock)

    def make_gateway(
        self, known: KnownAnswers, clock: Clock, max_lookups: int | None, on_answer: OnAnswer
    ) -> LookupGateway:
        """Return a gateway that buys."""
        return BuyingGateway(known, clock, max_lookups=max_lookups, on_answer=on_answer)

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict, in the light of the one that the slot holds."""
        return judge_again(view, slot, facts)


class Withholding(Live):
    """A run that writes and buys nothing: its lookups wait until somebody agrees to what they cost."""

    def make_gateway(
        self,
        known: KnownAnswers,
        clock: Clock,  # noqa: ARG002 - the contract's parameters
        max_lookups: int | None,  # noqa: ARG002 - the contract's parameters
        on_answer: OnAnswer,  # noqa: ARG002 - the contract's parameters
    ) -> LookupGateway:
        """Return a gateway that asks nobody, and counts what it would buy."""
        return WithholdingGateway(known)


class Rehearsal:
    """A dry run: nothing is written to the CRM, nothing is bought, and the state is as it was before."""

    dry_run = True
    defer_lookups: ClassVar[bool] = False

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give a store that sees its own writes and loses them at the end."""
        return store.rehearsal()

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends nothing."""
        return RehearsalWriter(crm, shapes, journal, clock)

    def make_gateway(
        self,
        known: KnownAnswers,
        clock: Clock,  # noqa: ARG002 - the contract's parameters
        max_lookups: int | None,
        on_answer: OnAnswer,  # noqa: ARG002 - the contract's parameters
    ) -> LookupGateway:
        """Return a gateway that asks nobody, and counts what would be bought."""
        return RehearsingGateway(known, max_lookups=max_lookups, defer=self.defer_lookups)

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:  # noqa: ARG002 - the contract's parameters
        """Return the verdict by the facts alone: nobody was asked, so an answer without news says nothing here."""
        return judge(facts)


@dataclass(frozen=True, slots=True)
class Planning(Rehearsal):
    """A dry run that writes its changes into a plan file. What a lookup has yet to say stays out of it."""

    plan: PlanWriter
    defer_lookups: ClassVar[bool] = True

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that puts changes into the plan file."""
        return PlanningWriter(crm, shapes, journal, clock, self.plan)
