"""A sync in partitions: one process coordinates it, and whoever is there does the reading and writing.

Opt-outs of all objects come first, then the objects that are read in full, in ranges; what changed since the cursors
and what waits the coordinating process reads itself, and it spreads opt-outs and moves the cursors at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..decisions.mass_change import check_full_read
from ..errors import GuardError
from ..model.record_view import RecordView
from ..ports.crm import Feed
from ..ports.partitions import RangedFeed, Splittable
from ..state.pending import Pending, PendingReason, PendingRow
from ..state.run_parts import MOST_PARTS, NewPart
from ..state.run_parts import Phase as PartPhase
from ..suppression.record_reader import Key
from .mode import RunMode
from .options import SyncOptions
from .page_reader import FeedReader, PageReader, PageSource
from .parts import SyncParts
from .phases import Phase, ReadChanged, ReadDue, RetryPending, SpreadOptOuts
from .run import RunContext, SyncJob
from .shared_reading import Partitioning, SharedReading
from .summary import Summary
from .sync import SyncRun, run_sync

DUE_WORTH = 5_000
"""Records due by age from which it is worth while to divide them."""


def run_partitioned(job: SyncJob, options: SyncOptions, partitioning: Partitioning) -> Summary:
    """Run one sync in partitions and return what it did; see :func:`ringfence.core.runs.sync.run_sync`.

    A CRM that cannot be divided is read by this process alone.
    """
    crm = job.crm
    if not isinstance(crm, Splittable):
        return run_sync(job, options)

    def make_run(context: RunContext, options: SyncOptions, summary: Summary, mode: RunMode) -> SyncRun:
        return PartitionedRun(context, options, summary, mode, crm, partitioning)

    return run_sync(job, options, make_run)


class PartitionedRun(SyncRun):
    """A sync whose reading is divided; everything else is a sync's."""

    def __init__(
        self,
        context: RunContext,
        options: SyncOptions,
        summary: Summary,
        mode: RunMode,
        crm: Splittable,
        partitioning: Partitioning,
    ) -> None:
        super().__init__(context, options, summary, mode)
        self._crm = crm
        self._partitioning = partitioning
        self._shared = SharedReading(context, options, summary, mode, self._parts, partitioning)
        self._kept: dict[str, str] = {}

    def _open_feed(self) -> tuple[Feed, frozenset[str]]:
        """Return the reads of this run; what an earlier run has begun to read in full is read anew, in ranges."""
        job, parts = self._job, self._parts
        if not (self._options.full or self._options.rescreen):
            self._kept = parts.cursors.read(parts.examiner.rescreen_before)
        feed = job.crm.open_feed({name: self._kept.get(name) for name in job.shapes}, parts.own_writes)

        if unfinished := [name for name in self._kept if feed.is_full(name)]:
            self._kept = {name: cursor for name, cursor in self._kept.items() if name not in unfinished}
            feed = job.crm.open_feed({name: self._kept.get(name) for name in job.shapes}, parts.own_writes)
        # Which records are seen no process knows alone: what none has seen stays known, and holders are counted again.
        return feed, frozenset(name for name in job.shapes if name not in self._kept)

    def _changed(self, source: FeedReader, pages: PageReader, *, full: bool) -> Iterable[Phase]:
        whole = [name for name in self._job.shapes if source.feed.is_full(name)]
        if not whole or not isinstance(source.feed, RangedFeed):
            yield ReadChanged(source, pages, self._parts.ledger, full=full)
            return

        if self._kept:
            cursors = {name: self._kept.get(name) or source.feed.cursor_behind(name) for name in self._job.shapes}
            yield _ReadSome(source, pages, cursors, self._parts)
        yield _ReadWhole(source, self._parts, self._shared, self._divide(whole, PartPhase.CHANGED), self._options)
        if self._shared.left_to_others and self._job.lookups:
            yield self._buy_owed(source)

    def _due(self, source: FeedReader, pages: PageReader, before: datetime) -> Iterable[Phase]:
        some = [name for name in self._job.shapes if not source.feed.is_full(name)]
        if not self._is_due_worth_dividing(some, before):
            yield ReadDue(source, pages, before)
            return
        divided = self._divide(some, PartPhase.DUE, before=before.isoformat())
        yield _ReadDueInParts(source, self._parts, self._shared, divided)
        if self._shared.left_to_others and self._job.lookups:
            yield self._buy_owed(source)

    def _is_due_worth_dividing(self, objects: Sequence[str], before: datetime) -> bool:
        job = self._job
        if self._parts.brake.pulled or self._parts.screening.exhausted:
            return False
        # Workers that may not buy have nothing to do where lookups are due.
        if job.lookups and (job.may_not_buy or not job.caps.may_buy(agreed=False, unattended=True)):
            return False
        return sum(self._crm.count_due(name, before) or 0 for name in objects) >= DUE_WORTH

    def _buy_owed(self, source: FeedReader) -> Phase:
        job, parts, run_id = self._job, self._parts, self._summary.run_id
        # What a worker has left to this process is not handled yet.
        examiner = replace(parts.examiner, pending=Pending(job.store, self._context.org_id, run_id))
        return _BuyOwed(source, examiner, parts.queue, parts.pending, parts.brake, run_id, self._summary)

    def _divide(self, objects: Sequence[str], phase: PartPhase, **told: str) -> dict[str, list[NewPart]]:
        """Return the parts of each object."""
        told_to_all = {**self._partitioning.instructions, **told}
        count = min(self._partitioning.parts, max(1, MOST_PARTS // len(objects)))
        least = self._job.crm.capabilities.worth_a_part
        return {
            name: [NewPart(name, phase, range_, told_to_all) for range_ in self._crm.split(name, count, least=least)]
            for name in objects
        }

    def _spreading(
        self,
        source: PageSource,
        *,
        hold_flags: bool,
        all_read: bool,  # noqa: ARG002 - the contract's parameters
        first: bool = False,
    ) -> SpreadOptOuts:
        return super()._spreading(source, hold_flags=hold_flags, all_read=False, first=first)


@dataclass(frozen=True, slots=True)
class _ReadSome:
    """Works through what changed of the objects that have a cursor, while others are read in full."""

    source: FeedReader
    pages: PageReader
    cursors: dict[str, str]
    parts: SyncParts

    def run(self) -> bool:
        crm, whole = self.source.crm, self.source.feed.is_full
        feed = crm.open_feed(self.cursors, self.parts.own_writes)
        return self.pages.read("changed records", (page for page in feed.changed() if not whole(page.object)))


@dataclass(frozen=True, slots=True)
class _ReadWhole:
    """Has the objects that are read in full done in ranges, and moves their cursors once all of it is handled."""

    source: FeedReader
    parts: SyncParts
    shared: SharedReading
    divided: Mapping[str, Sequence[NewPart]]
    options: SyncOptions

    def run(self) -> bool:
        parts, feed, summary = self.parts, self.source.feed, self.parts.examiner.summary
        known = {name: parts.ledger.count_records(name) for name in self.divided}
        self.source.begin("all records")
        self.shared.carry_out("all records", [part for some in self.divided.values() for part in some])

        for name in self.divided:
            if not summary.counts(name).read:
                self._check_empty(name, known[name])
        if parts.brake.pulled:
            return True

        for name in self.divided:
            parts.ledger.forget_unseen(name)
        if isinstance(feed, RangedFeed):
            parts.cursors.move({name: feed.cursor_behind(name) for name in self.divided}, parts.examiner.clock.now())
        return True

    def _check_empty(self, name: str, known: int) -> None:
        """Pull the brake where a full read has found nothing although many records are known."""
        try:
            check_full_read(name, known, accepted=self.options.accept_mass_change)
        except GuardError as error:
            self.parts.brake.pull(error)


@dataclass(frozen=True, slots=True)
class _ReadDueInParts:
    """Has the records that are due by age done in ranges."""

    source: FeedReader
    parts: SyncParts
    shared: SharedReading
    divided: Mapping[str, Sequence[NewPart]]

    def run(self) -> bool:
        if not self.parts.brake.pulled:
            self.source.begin("due records")
            self.shared.carry_out("due records", [part for some in self.divided.values() for part in some])
        return True


@dataclass(frozen=True, slots=True)
class _BuyOwed(RetryPending):
    """Looks again at the rows whose lookups the workers of this run have left to the process that may buy."""

    summary: Summary

    def _next(self, after: Key, limit: int) -> Sequence[PendingRow]:
        return self.pending.next(after, limit, PendingReason.DEFERRED, objects=self.source.shapes, of_run=self.run_id)

    def _meet(self, views: Sequence[RecordView]) -> None:
        for view in views:
            self.summary.count_anew(view.key)
