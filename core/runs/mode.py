"""Whether a run acts or rehearses: one object that chooses its store, its writer and its way to the providers.

::

    Live         writes to the CRM, buys lookups, keeps what it learns
    Withholding  does the same without buying, because nobody has agreed to the cost
    Sharing      does the same for a part of a run, and leaves the records whole to the run that owe a lookup yet
    Deferring    does the same without buying, because another process of the run does that
    Rehearsal    a dry run: writes nothing, buys nothing, and works on a store that is thrown away
    Planning     a dry run that leaves its changes in a plan file
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ..decisions.previous_verdict import judge_again
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot
from ..model.verdicts import Facts, Verdict, judge
from ..ports.crm import Crm
from ..ports.services import Clock
from ..screening.buying import BuyingGateway, OnAnswer
from ..screening.deferring import DeferringGateway
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

    @property
    def leaves_lookups(self) -> bool:
        """Return whether a record with a lookup to buy is left to another process of the run, whole."""
        ...

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store that the run works on, for as long as it runs."""
        ...

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return what carries out the run's changes."""
        ...

    def make_gateway(self, known: KnownAnswers, clock: Clock, on_answer: OnAnswer) -> LookupGateway:
        """Return the way to the providers; see :class:`ringfence.core.screening.buying.BuyingGateway`."""
        ...

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict on a screened slot."""
        ...


class Live:
    """A run that writes and buys."""

    dry_run = False
    leaves_lookups = False

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give the store itself."""
        return nullcontext(store)

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends changes to the CRM."""
        return ChangeWriter(crm, shapes, journal, clock)

    def make_gateway(self, known: KnownAnswers, clock: Clock, on_answer: OnAnswer) -> LookupGateway:
        """Return a gateway that buys."""
        return BuyingGateway(known, clock, on_answer=on_answer)

    def judge(self, view: RecordView, slot: Slot, facts: Facts) -> Verdict:
        """Return the verdict, in the light of the one that the slot holds."""
        return judge_again(view, slot, facts)


class Withholding(Live):
    """A run that writes and buys nothing: its lookups wait until somebody agrees to what they cost."""

    def make_gateway(
        self,
        known: KnownAnswers,
        clock: Clock,  # noqa: ARG002 - the contract's parameters
        on_answer: OnAnswer,  # noqa: ARG002 - the contract's parameters
    ) -> LookupGateway:
        """Return a gateway that asks nobody, and counts what it would buy."""
        return WithholdingGateway(known)


class Sharing(Live):
    """A part of a run that writes and buys, beside others of the same run."""

    leaves_lookups = True


class Deferring(Sharing):
    """A part of a run that leaves the lookups to the process which coordinates the run."""

    def make_gateway(
        self,
        known: KnownAnswers,
        clock: Clock,  # noqa: ARG002 - the contract's parameters
        on_answer: OnAnswer,  # noqa: ARG002 - the contract's parameters
    ) -> LookupGateway:
        """Return a gateway that asks nobody."""
        return DeferringGateway(known)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A dry run: nothing is written to the CRM, nothing is bought, and the state is as it was before.

    ``shared`` is a store that several dry runs work on, because what one takes in counts for the others.
    """

    dry_run: ClassVar[bool] = True
    leaves_lookups: ClassVar[bool] = False
    defer_lookups: ClassVar[bool] = False
    shared: Store | None = field(default=None, kw_only=True)

    def open_store(self, store: Store) -> AbstractContextManager[Store]:
        """Give a store that sees its own writes and loses them at the end."""
        return store.rehearsal() if self.shared is None else nullcontext(self.shared)

    def make_writer(self, crm: Crm, shapes: Mapping[str, ObjectShape], journal: Journal, clock: Clock) -> ChangeWriter:
        """Return a writer that sends nothing."""
        return RehearsalWriter(crm, shapes, journal, clock)

    def make_gateway(
        self,
        known: KnownAnswers,
        clock: Clock,  # noqa: ARG002 - the contract's parameters
        on_answer: OnAnswer,  # noqa: ARG002 - the contract's parameters
    ) -> LookupGateway:
        """Return a gateway that asks nobody, and counts what would be bought."""
        return RehearsingGateway(known, defer=self.defer_lookups)

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
