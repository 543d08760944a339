"""Reading an account as it is now for a list: what each filled slot is, checked against the opt-outs page by page.

Nothing is written to the CRM, nothing is taken into the state, and no lease is held: an export waits for no sync. What
was opted out since the last sync is heard all the same. The rows go to a spool, and every row is checked once more
when they leave it: what opted out during a long read is not on the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC
from itertools import chain

from ..clock import whole_seconds
from ..concurrency import read_ahead
from ..decisions.exports import ExportList, LeftOut, SlotStanding, Use, judge_slot
from ..decisions.segments import Engagement
from ..decisions.wrong_person import names_slot
from ..errors import Terminated
from ..model.blocks import Block, Channel
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot
from ..ports.crm import Crm, Org, Page
from ..ports.services import Clock
from ..state.cursors import find_org
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import list_account_names
from ..state.store import Store
from ..suppression.expired_lists import ExpiredLists
from ..suppression.intake import look_up_opt_outs
from ..suppression.question import SuppressionQuestion
from ..suppression.slots import SlotNumbers, SlotOptOuts
from ..suppression.unsynced import Account, UnsyncedOptOuts
from .export_spool import ExportRow, Spool, SpooledRow
from .page_reader import PAGES_AHEAD
from .progress import NoProgress, Progress
from .quiet_rows import QuietRows, why_not_quiet, with_engagement

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class ExportJob:
    """All that the export of one account needs, wired by the composition root.

    ``account`` is what it is called; ``question`` asks its suppression ledger. ``heard`` collects the opt-outs that no
    sync has taken in yet, for all accounts of one export, ``expired`` the lists that are too old. ``must_end`` tells
    whether the process was asked to end. ``quiet`` tells which numbers are quiet, where that list is wanted.
    """

    crm: Crm
    org: Org
    shapes: Mapping[str, ObjectShape]
    store: Store
    clock: Clock
    account: str
    question: SuppressionQuestion
    heard: dict[str, list[Block]]
    wanted: ExportList
    channel: Channel
    purpose: str | None = None
    quiet: QuietRows | None = None
    expired: ExpiredLists = field(default_factory=ExpiredLists.none)
    progress: Progress = field(default_factory=NoProgress)
    must_end: Callable[[], bool] = lambda: False


class AccountExport:
    """The export of one account. ``records`` and ``left_out`` count what was read, and filled slots by the reason."""

    def __init__(self, job: ExportJob) -> None:
        org_id = find_org(job.store, job.org)
        ledger = OptOutLedger(job.store, org_id, "", job.clock) if org_id is not None else None
        self._job, self._ledger = job, ledger
        account = Account(job.org.key, org_id, ledger)
        self._unsynced = UnsyncedOptOuts(job.question, job.store, account, job.heard)
        self._names = {job.account, *list_account_names(job.store, job.org.key)}
        self._opt_outs = SlotOptOuts(job.question, self._unsynced, ledger)
        self.records = 0
        self.left_out: Counter[str] = Counter()

    @property
    def expired_lists(self) -> list[str]:
        """Return the names of the lists that are too old, and were allowed, of the countries met."""
        return self._job.expired.names

    def read(self, spool: Spool) -> None:
        """Read every record of the mapped objects, and put the rows of the list on the spool.

        Raises what the CRM and the state raise, StoppedError where an expired list covers a number, and Terminated when
        the process was asked to end.
        """
        job = self._job
        job.expired.refuse(shape.default_region for shape in job.shapes.values())
        feed = job.crm.open_feed(dict.fromkeys(job.shapes))
        job.progress.phase("opt-outs")
        self._hear(feed.flagged())

        totals: dict[str, int] = {}
        with self._ahead(feed.changed()) as pages:
            for page in pages:
                totals[page.object] = max(page.total or 0, totals.get(page.object, 0))
                job.progress.phase("records", sum(totals.values()) or None)
                if page.gone:
                    self._unsynced.hear(page, job.shapes[page.object])
                else:
                    spool.add(self._take(page))
                    job.progress.advance(len(page.records))

        self._hear(feed.flagged_meanwhile())
        # Of objects that were read in full none is due; a connector lets go here of what it read them by.
        self._hear(feed.due(job.clock.now()))

    def check_again(self, rows: Sequence[SpooledRow]) -> list[ExportRow]:
        """Return those of a page's rows that may still stand on the list: nobody silenced their numbers meanwhile."""
        if self._job.wanted is ExportList.SUPPRESSED:
            return [each.row for each in rows]

        shape = self._job.shapes[rows[0].row.object]
        kept = []
        for each, found in zip(rows, self._opt_outs.find(shape, [each.numbers for each in rows]), strict=True):
            if any(block.channel.blocks(self._job.channel) for block in chain.from_iterable(found.values())):
                self.left_out[LeftOut.SUPPRESSED] += 1
            else:
                kept.append(each.row)
        return kept

    def _hear(self, pages: Iterable[Page]) -> None:
        with self._ahead(pages) as coming:
            for page in coming:
                self._unsynced.hear(page, self._job.shapes[page.object])

    def _ahead(self, pages: Iterable[Page]) -> AbstractContextManager[Iterator[Page]]:
        return read_ahead(pages, PAGES_AHEAD, self._heartbeat, threaded=self._job.crm.capabilities.threads)

    def _heartbeat(self) -> None:
        if self._job.must_end():
            raise Terminated

    def _take(self, page: Page) -> Iterator[SpooledRow]:
        """Yield the rows that a page's records give."""
        shape = self._job.shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        self.records += len(views)
        if raised := [view for view in views if view.flagged or view.withdrawn]:
            self._unsynced.hear_of(raised)
            if shape.has_sms and self._ledger is not None:
                look_up_opt_outs(self._ledger, raised)  # which tells the views that were flagged for messages alone

        slots = [(view, slot) for view in views for slot in shape.slots if view.content(slot)]
        asked = [SlotNumbers.of(view, slot) for view, slot in slots]
        if self._job.expired:
            self._job.expired.refuse(number.region for view in views for number in view.known_numbers())
        wrong = self._job.question.find_wrong_persons({key for each in asked for key in each.own}, self._names)
        now, job = whole_seconds(self._job.clock.now()), self._job
        engaged = self._find_engaged(slots)
        use = Use(job.channel, job.purpose, now, job.org.key)
        for (view, slot), numbers, found in zip(slots, asked, self._opt_outs.find(shape, asked), strict=True):
            standing = judge_slot(view, slot, found, use, is_wrong_person=names_slot(view, slot, wrong))
            engagement = engaged.get(standing.number)
            reason = standing.left_out_of(job.wanted)
            if not reason and job.wanted is ExportList.QUIET:
                reason = why_not_quiet(engagement)
            if reason:
                self.left_out[reason] += 1
            else:
                row = self._row(view, slot, standing)
                yield SpooledRow(with_engagement(row, view, engagement) if engagement else row, numbers)

    def _find_engaged(self, slots: Sequence[tuple[RecordView, Slot]]) -> Mapping[str, Engagement]:
        """Return the segments of the numbers in some slots, where the list is of quiet ones."""
        if self._job.quiet is None or self._job.wanted is not ExportList.QUIET:
            return {}
        return self._job.quiet.find({number for view, slot in slots if (number := view.number(slot).e164)})

    def _row(self, view: RecordView, slot: Slot, standing: SlotStanding) -> ExportRow:
        channel, last = view.shape.channel_field, standing.last_screened
        return ExportRow(
            self._job.account,
            *view.key,
            slot.field,
            standing.number,
            standing.status,
            standing.reason,
            text(view.record.values.get(channel)) if channel else "",
            f"{last.astimezone(UTC):{_STAMP}}" if last else "",
        )
