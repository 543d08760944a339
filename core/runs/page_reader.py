"""Pages of a feed: read ahead, examined, processed, and their cursors moved."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..concurrency import read_ahead
from ..decisions.mass_change import check_full_read
from ..errors import GuardError, QuotaError, UnreachableError
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Feed, Page
from ..state.opt_out_ledger import OptOutLedger
from ..suppression.intake import ingest_opt_outs
from ..writing.outbox import Outbox
from .brake import Brake
from .cursor_tracker import CursorTracker
from .examiner import Examiner
from .progress import Progress
from .rehearsed import Rehearsed
from .work_queue import WorkQueue

logger = logging.getLogger(__name__)

PAGES_AHEAD = 2
"""Pages read while earlier ones are worked on."""


@dataclass(frozen=True, slots=True)
class PageSource:
    """What all that read pages share: the CRM they come from, and whoever is told that the run is alive."""

    crm: Crm
    shapes: Mapping[str, ObjectShape]
    progress: Progress
    heartbeat: Callable[[], None]
    limit: int | None

    def begin(self, phase: str, total: int | None = None) -> None:
        """Say that a phase begins."""
        self.progress.phase(phase, total)
        logger.info("%s: %s", self.crm.name, phase)

    def ahead(self, pages: Iterable[Page]) -> AbstractContextManager[Iterator[Page]]:
        """Give the pages, read by a thread of their own where the CRM allows it."""
        # Under a limit most of what is read ahead would be read for nothing.
        depth = PAGES_AHEAD if self.limit is None else 0
        return read_ahead(pages, depth, self.heartbeat, threaded=self.crm.capabilities.threads)


@dataclass(frozen=True, slots=True)
class FeedReader(PageSource):
    """What the phases share that read pages of a feed."""

    feed: Feed


@dataclass(slots=True)
class PageReader:
    """Takes pages of a feed to outcomes, and their cursors with them.

    ``newly_read`` names the objects whose full read begins with this run. In a dry run, which writes nothing, a record
    that was due as changed is still due by age: ``rehearsed`` leaves it out.
    """

    source: PageSource
    examiner: Examiner
    outbox: Outbox
    queue: WorkQueue
    tracker: CursorTracker
    ledger: OptOutLedger
    brake: Brake
    newly_read: frozenset[str]
    accept_mass_change: bool
    rehearsed: Rehearsed

    def read(self, phase: str, pages: Iterable[Page]) -> bool:
        """Work through the pages; return False where the run has to end here.

        Where a guard pulls the brake the reading goes on: who else holds a silenced number is known by reading alone.
        """
        seen: set[str] = set()
        totals: dict[str, int] = {}
        with self.source.ahead(pages) as coming:
            for page in self._until_failure(coming):
                totals[page.object] = max(page.total or 0, totals.get(page.object, 0))
                self.source.progress.phase(phase, sum(totals.values()) or None)
                self._check_full_read(page, seen)
                self._hold_for_bulk(totals)
                if not self._read_page(page):
                    return False
        return self.queue.flush()

    def _read_page(self, page: Page) -> bool:
        if page.gone:
            ingest_opt_outs(self.source.crm, [page], self.source.shapes, self.ledger)
            return True

        shape = self.source.shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        records = self.examiner.examine(views, authoritative=page.authoritative)
        if self.source.limit is not None:
            # What the CRM refuses every time must not use up the limit for good.
            records = self.examiner.leave_refused(records)
        records = self.rehearsed.new(records)
        if self.source.limit is not None:
            # Neither must what only seems due, because it was read from an old picture.
            records = self.examiner.refresh(records)

        self.source.progress.advance(len(views) - len(records))
        if not self.queue.take(records):
            return False

        self.tracker.end_page(page.object, page.cursor)
        return True

    def _check_full_read(self, page: Page, seen: set[str]) -> None:
        """Pull the brake where a full read begins with nothing although many records are known."""
        if not page.records and not page.total and page.object not in seen and page.object in self.newly_read:
            known = self.ledger.count_records(page.object)
            try:
                check_full_read(page.object, known, accepted=self.accept_mass_change)
            except GuardError as error:
                self.brake.pull(error)
        seen.add(page.object)

    def _hold_for_bulk(self, totals: Mapping[str, int]) -> None:
        """Let changes wait for a bulk job where so many records are read that one may be worth it."""
        bulk = self.source.crm.bulk
        self.outbox.hold(name for name, total in totals.items() if bulk and total >= bulk.worth_from)

    def _until_failure(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Yield the pages; when the CRM ends the reading, what came so far is handled first: so every run gets on."""
        try:
            yield from pages
        except (QuotaError, UnreachableError):
            self.queue.flush()
            raise
