"""The phases of a sync, in their order.

Opt-outs are taken in first, over all objects, so that no number is looked up that somebody silenced. Then come the
records that changed, those that are due by age, and the rows that earlier runs left: last, so that rows which the CRM
refuses every time cannot use up a run's limit or budget for good. Opt-outs are spread at the end, when it is known how
many records hold a number. Under a user's limit they are spread before anything else too, so that they have its first
places.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..decisions.coverage import speaks_under_its_flag
from ..model.record_view import RecordView
from ..numbers import mask
from ..ports.crm import Page
from ..ports.services import Clock
from ..screening.seed import seed_lookup_cache
from ..state.lookup_cache import LookupCache
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending, PendingRow
from ..suppression.intake import ingest_opt_outs
from ..suppression.record_reader import Key, read_views
from ..suppression.spread import OptOutSpread
from .brake import Brake
from .examiner import Examiner
from .page_reader import FeedReader, PageReader, PageSource
from .rehearsed import Rehearsed
from .summary import SpreadNumber, Summary
from .work_queue import WorkQueue

logger = logging.getLogger(__name__)


class Phase(Protocol):
    """A part of a sync."""

    def run(self) -> bool:
        """Carry the phase out; return False where the run has to end here."""
        ...


@dataclass(frozen=True, slots=True)
class IngestOptOuts:
    """Takes in the opt-out flags of all objects, in or out of the mapping's filter, and what is known of elsewhere.

    ``meanwhile`` asks for those that went up while objects were read in full.
    """

    source: FeedReader
    ledger: OptOutLedger
    pending: Pending
    clock: Clock
    meanwhile: bool = False

    def run(self) -> bool:
        """Take in the flags that are up, and those that were lowered."""
        self.source.begin("opt-outs")
        # First, because it needs no CRM: it is enforced whatever the reading comes to.
        self.ledger.take_in_elsewhere()
        self.ledger.settle_consents(self.source.shapes)
        feed = self.source.feed
        with self.source.ahead(feed.flagged_meanwhile() if self.meanwhile else feed.flagged()) as pages:
            ingest_opt_outs(self.source.crm, self._watch(pages), self.source.shapes, self.ledger)
        return True

    def _watch(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Yield the pages, and let records wait whose own flag is up over slots that speak.

        The reading mostly gets to them first, and then nothing is left to do; where it ends early they are silenced
        all the same.
        """
        for page in pages:
            if not page.gone:
                shape = self.source.shapes[page.object]
                views = [RecordView(record, shape) for record in page.records]
                self.pending.enqueue([view.key for view in views if speaks_under_its_flag(view)], self.clock.now())
            yield page


@dataclass(frozen=True, slots=True)
class SeedAnswers:
    """Takes in verdicts that are fresh in the CRM as answers, so that nothing is bought that the CRM knows already."""

    source: FeedReader
    cache: LookupCache
    realm: str
    since: datetime
    summary: Summary

    def run(self) -> bool:
        """Take in the verdicts on slots that were screened at or after ``since``."""
        with self.source.ahead(self.source.feed.screened(self.since)) as pages:
            never_asked = seed_lookup_cache(pages, self.source.shapes, self.cache, self.realm, self.since)
        self.summary.fresh_without_lookup = never_asked
        return True


@dataclass(frozen=True, slots=True)
class ReadChanged:
    """Works through the records that changed since the cursors, or through all where there is none."""

    source: FeedReader
    pages: PageReader
    ledger: OptOutLedger
    full: bool

    def run(self) -> bool:
        """Read them; then forget the flags of records that a full read has not seen."""
        source = self.source
        phase = "all records" if self.full else "changed records"
        logger.info("%s: %s", source.crm.name, phase)
        if not self.pages.read(phase, source.feed.changed()):
            return False
        if self.pages.brake.pulled:
            return True

        for name in source.shapes:
            if source.feed.is_full(name):
                self.ledger.forget_unseen(name)
        return True


@dataclass(frozen=True, slots=True)
class ReadDue:
    """Works through the records with a slot never screened, or last screened before ``before``."""

    source: FeedReader
    pages: PageReader
    before: datetime

    def run(self) -> bool:
        """Read them: the CRM is asked, by its own last-screened fields.

        They owe lookups, mostly: a run that only silences leaves them, and so does one without budget.
        """
        queue = self.pages.queue
        queue.end_with_budget()
        if self.pages.brake.pulled or queue.exhausted:
            return True
        logger.info("%s: due records", self.source.crm.name)
        return self.pages.read("due records", self.source.feed.due(self.before)) or queue.exhausted


@dataclass(frozen=True, slots=True)
class RetryPending:
    """Looks again at the rows that earlier runs left: refused, deferred and in conflict."""

    source: FeedReader
    examiner: Examiner
    queue: WorkQueue
    pending: Pending
    brake: Brake
    run_id: str

    def run(self) -> bool:
        """Read the rows by their ids, and process those that are still due.

        A run that only silences leaves them, and so does one without budget.
        """
        self.queue.end_with_budget()
        if self.brake.pulled or self.queue.exhausted:
            return True
        return self._retry() or self.queue.exhausted

    def _retry(self) -> bool:
        self.source.begin("waiting rows")
        after, shapes = ("", ""), self.source.shapes
        due: dict[str, set[str]] = {name: set() for name in shapes}
        size = self.queue.batch_size
        while rows := self._next(after, size):
            self.source.heartbeat()
            after = (rows[-1].object, rows[-1].record_id)
            views = read_views(self.source.crm, shapes, ((row.object, row.record_id) for row in rows))

            # A survivor of a merge may wait under its own id as well, and one write must not name it twice.
            new = [view for view in views if view.record.id not in due[view.record.object]]
            self._meet(new)
            records = self.examiner.examine(new, authoritative=True)
            for record in records:
                due[record.view.record.object].add(record.view.record.id)

            for name in {row.object for row in rows}:
                ids = [row.record_id for row in rows if row.object == name]
                self.pending.remove_settled(name, ids, due[name])
            if not self.queue.take(records):
                return False
        return self.queue.flush()

    def _next(self, after: Key, limit: int) -> Sequence[PendingRow]:
        return self.pending.next(after, limit, objects=self.source.shapes, before_run=self.run_id)

    def _meet(self, views: Sequence[RecordView]) -> None:
        """Take in which records the rows lead to."""


@dataclass(frozen=True, slots=True)
class SpreadOptOuts:
    """Carries opt-outs to every record that holds the number, also to fresh ones and those outside the filter."""

    spread: OptOutSpread
    source: PageSource
    queue: WorkQueue
    pending: Pending
    rehearsed: Rehearsed
    summary: Summary

    def run(self) -> bool:
        """Process the records that an opt-out reaches, and name the switchboards whose flags were not raised."""
        self.queue.go_on_without_budget()
        self.source.begin("opt-out spread")
        for records in self.spread.batches(self.queue.batch_size):
            new = self.rehearsed.new(records)
            if not (self.queue.take(new) and self.queue.flush()):
                return False
            if len(new) < len(records):
                self.pending.remove([record.view.key for record in records])

        switchboards = sorted(self.spread.switchboards.items())
        self.summary.spread = [SpreadNumber(mask(e164), holders) for e164, holders in switchboards]
        self.summary.name_stale_flags(self.spread.stale)
        return True
