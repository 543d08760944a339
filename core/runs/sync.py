"""The one loop: read, due, screen, plan, apply, cursor. Streaming, with bounded memory, for every CRM."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from ..concurrency import read_ahead
from ..decisions.due_record import DueRecord
from ..decisions.mass_change import MassChangeGuard, check_full_read
from ..errors import BusyError, QuotaError, UsageError
from ..model.record_view import RecordView
from ..numbers import mask
from ..ports.crm import Feed, Page
from ..screening.screening import CRM_REALM, Screening
from ..screening.seed import seed_facts
from ..state.cursors import Cursors
from ..state.journal import new_run_id
from ..state.lookup_cache import LookupCache
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending
from ..suppression.intake import ingest_opt_outs
from ..suppression.spread import Enforcement
from ..writing.outbox import Outbox
from ..writing.plan_file import PlanHead, PlanWriter
from ..writing.writer import ChangeWriter
from .batches import Pipeline
from .run import RunContext, SyncJob, open_run
from .summary import SpreadNumber, Summary

READ_AHEAD = 2
"""Pages read while earlier ones are worked on."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What the user asked for (contract, section 4)."""

    full: bool = False
    rescreen: bool = False
    dry_run: bool = False
    limit: int | None = None
    confirm_spread: bool = False
    accept_mass_change: bool = False
    retry_lost_lookups: bool = False
    plan_file: Path | None = None  # where a dry run leaves its plan


def run_sync(job: SyncJob, options: SyncOptions) -> Summary:
    """Run one sync and return what it did; the history keeps it too.

    A run that ends early (a quota, an outage, a guard) returns with ``complete`` False and ``stopped`` saying why.
    Raises the other errors of :mod:`ringfence.core.errors`, and KeyboardInterrupt, after the history knows of them.
    """
    summary = Summary(new_run_id(job.clock.now()), job.crm.name, org=job.org.name, dry_run=options.dry_run)
    if options.plan_file and not options.dry_run:
        raise UsageError("A plan file is made by a dry run.", "Add --dry-run.")
    if options.rescreen and options.limit is not None:
        raise UsageError(
            "A rescreen begins anew each time: with --limit it would take the same records again and again.",
            "Leave out --limit, or take parts by the age of a shorter policy: --policy and --limit.",
        )
    told = {**asdict(options), "plan_file": str(options.plan_file) if options.plan_file else None}
    with open_run(job, summary, told, dry_run=options.dry_run) as context:
        try:
            if options.plan_file is None:
                _Run(context, options, summary, None).go()
            else:
                head = PlanHead(summary.run_id, job.org.key, job.clock.now())
                with PlanWriter(options.plan_file, head, job.shapes, job.store.keyring) as plan:
                    _Run(context, options, summary, plan).go()
                    plan.complete(_costs(job, summary))
        finally:
            _count_fewest_calls(job, summary)
    return summary


def _count_fewest_calls(job: SyncJob, summary: Summary) -> None:
    read, written = summary.total("read"), summary.total("written")
    view = job.crm.fewest_calls(read, 0, full=summary.full)
    writing = job.crm.fewest_calls(read, written, full=summary.full) - view
    summary.fewest_api_calls = view if summary.dry_run else view + writing
    summary.write_calls_planned = writing if summary.dry_run else 0


def _costs(job: SyncJob, summary: Summary) -> dict[str, int]:
    written = summary.total("written")
    return {
        "records": written,
        "api_calls": job.crm.fewest_calls(written, written, full=False),
        "lookups": summary.lookups_planned,
        "records_waiting_for_lookups": summary.total("deferred"),
    }


class _Run:
    """One run on its way through the feeds."""

    def __init__(self, context: RunContext, options: SyncOptions, summary: Summary, plan: PlanWriter | None) -> None:
        job, org_id = context.job, context.org_id
        self._job = job
        self._options = options
        self._summary = summary
        self._lease = context.lease
        self._cursors = Cursors(job.store, org_id, job.shapes)
        self._facts = LookupCache(job.store, summary.run_id)
        self._ledger = OptOutLedger(job.store, org_id, summary.run_id, job.clock)
        self._pending = Pending(job.store, org_id, summary.run_id)
        self._screening = Screening(
            facts=self._facts,
            policy=job.policy,
            clock=job.clock,
            lookups=job.lookups,
            crm_realm=f"{CRM_REALM}:{job.org.key}",
            max_lookups=job.max_lookups,
            buy=not options.dry_run,
            defer_unbought=plan is not None,
            retry_lost=options.retry_lost_lookups,
            on_answer=self._note_answer,
        )
        writer = ChangeWriter(job.crm, job.shapes, context.journal, job.clock, dry_run=options.dry_run, plan=plan)
        self._outbox = Outbox(job.crm, writer, context.journal, job.clock, self._heartbeat)
        self._pipeline = Pipeline(
            crm=job.crm,
            shapes=job.shapes,
            ledger=self._ledger,
            pending=self._pending,
            screening=self._screening,
            outbox=self._outbox,
            guard=MassChangeGuard(accepted=options.accept_mass_change),
            policy=job.policy,
            clock=job.clock,
            summary=summary,
            rescreen=options.rescreen,
        )
        self._batch_size = job.crm.capabilities.write_batch
        self._buffer: deque[DueRecord] = deque()
        self._queued = 0
        self._processed = 0
        self._pages: deque[tuple[str, str | None, int]] = deque()  # object, cursor, records queued up to its end
        self._spreading = False
        self._rehearsed: dict[str, set[str]] = {}  # by object, the due records that nothing is written to
        self._fresh: set[str] = set()  # objects whose full read begins with this run

    def _heartbeat(self) -> None:
        self._lease.renew(self._job.clock.now())

    def _note_answer(self, bought: int) -> None:
        self._heartbeat()
        self._job.progress.bought(bought)

    def go(self) -> None:
        """Work through the run; what is counted stays counted when an error ends it."""
        for name in self._job.shapes:
            self._summary.counts(name)
        ours = True
        try:
            self._summary.complete = self._work()
        except BusyError:
            ours = False
            raise
        finally:
            if ours:
                self._count(self._pipeline.close())
            else:
                # Whoever took over finds out what became of the rows, as after a run that was killed.
                self._outbox.close(())
            self._lease.keep_for(self._outbox.sender)
            tally = self._screening.tally
            self._summary.lookups = tally.lookups
            self._summary.lookup_cache_hits = tally.cache_hits
            self._summary.lookups_planned = tally.would_buy
            self._summary.lookups_lost = tally.lost
            self._summary.waiting = self._pending.count()

    def _work(self) -> bool:
        """Return whether everything was handled."""
        progress = self._job.progress
        feed = self._open_feed()
        self._summary.full = any(feed.is_full(name) for name in self._job.shapes)
        if self._options.dry_run:
            self._rehearsed = {name: set() for name in self._job.shapes if not feed.is_full(name)}
        progress.phase("opt-outs")
        with self._coming(feed.flagged()) as pages:
            ingest_opt_outs(self._job.crm, pages, self._job.shapes, self._ledger)
        since = self._job.clock.now() - self._job.policy.max_age
        if self._job.lookups and self._summary.full:
            with self._coming(feed.screened(since)) as pages:
                seed_facts(pages, self._job.shapes, self._facts, self._screening.crm_realm, since)
        whole = self._read(feed, since)
        if not whole and not self._may_spread():
            return False
        self._buffer.clear()
        self._pages.clear()
        self._queued = self._processed
        self._spreading = True
        progress.phase("opt-out spread")
        # How many records hold a number is known only after a whole read: until then slots are silenced, flags wait.
        return (
            self._run_enforcement(hold_flags=self._summary.full and not whole)
            and whole
            and not self._screening.exhausted
        )

    def _read(self, feed: Feed, since: datetime) -> bool:
        """Work through the feeds and through what waits; return whether all of it was handled."""
        if not self._run_pages("all records" if self._summary.full else "changed records", feed.changed()):
            return False
        for name in self._job.shapes:
            if feed.is_full(name):
                self._ledger.forget_unseen(name)
        if not self._run_pages("due records", feed.due(since)):
            return False
        # Last, so that rows which the CRM refuses every time cannot use up a run's limit or budget for good.
        self._job.progress.phase("waiting rows")
        return self._run_pending()

    def _may_spread(self) -> bool:
        """Return whether opt-outs spread although not everything was read.

        A budget of lookups is no reason to wait, for silencing costs none; a user's limit covers these records too.
        """
        return self._screening.exhausted

    def _open_feed(self) -> Feed:
        full = self._options.full or self._options.rescreen
        kept: Mapping[str, str] = {} if full else self._cursors.read()
        self._fresh = {name for name in self._job.shapes if name not in kept}
        self._ledger.begin_full_read(self._fresh)
        return self._job.crm.open_feed({name: kept.get(name) for name in self._job.shapes})

    def _run_pending(self) -> bool:
        """Look again at what earlier runs left: refused, deferred and conflicting rows."""
        after, shapes = ("", ""), self._job.shapes
        due: dict[str, set[str]] = {name: set() for name in shapes}
        while rows := self._pending.next(after, self._batch_size, objects=shapes, before_run=self._summary.run_id):
            self._heartbeat()
            after = (rows[-1].object, rows[-1].record_id)
            for name, group in groupby(rows, key=lambda row: row.object):
                ids = [row.record_id for row in group]
                records = self._job.crm.fetch(name, ids)
                # A survivor of a merge may wait under its own id as well, and one write must not name it twice.
                views = [RecordView(record, shapes[name]) for record in records if record.id not in due[name]]
                items = self._pipeline.examine(views, authoritative=True)
                due[name].update(item.view.record.id for item in items)
                self._pending.remove_settled(name, ids, due[name])
                if not self._take(items):
                    return False
        return self._flush()

    def _coming(self, pages: Iterable[Page]) -> AbstractContextManager[Iterator[Page]]:
        # Under a limit most of what is read ahead would be read for nothing.
        ahead = READ_AHEAD if self._options.limit is None else 0
        return read_ahead(pages, ahead, self._heartbeat, threaded=self._job.crm.capabilities.threads)

    def _run_pages(self, name: str, pages: Iterable[Page]) -> bool:
        seen: set[str] = set()
        totals: dict[str, int] = {}
        with self._coming(pages) as coming:
            for page in self._until_quota(coming):
                totals[page.object] = max(page.total or 0, totals.get(page.object, 0))
                self._job.progress.phase(name, sum(totals.values()) or None)
                self._check_full_read(page, seen)
                self._hold(totals)
                if not self._run_page(page):
                    return False
        return self._flush()

    def _run_page(self, page: Page) -> bool:
        shape = self._job.shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        items = self._pipeline.examine(views, authoritative=page.authoritative)
        if (rehearsed := self._rehearsed.get(page.object)) is not None:
            # What was due as changed is still due by age after a dry run's writing.
            items = [item for item in items if item.view.record.id not in rehearsed]
            rehearsed.update(item.view.record.id for item in items)
        if self._options.limit is not None:
            # What only seems due, because it was read from an old picture, must not use up the limit for good.
            items = self._pipeline.refresh(items)
        self._job.progress.advance(len(views) - len(items))
        if not self._take(items):
            return False
        self._pages.append((page.object, page.cursor, self._queued))
        self._commit()
        return True

    def _check_full_read(self, page: Page, seen: set[str]) -> None:
        if not page.records and not page.total and page.object not in seen and page.object in self._fresh:
            known = self._ledger.count_records(page.object)
            check_full_read(page.object, known, accepted=self._options.accept_mass_change)
        seen.add(page.object)

    def _hold(self, totals: Mapping[str, int]) -> None:
        """Let changes wait for a bulk job where so many records are read that one may be worth it."""
        bulk = self._job.crm.bulk
        self._outbox.hold(name for name, total in totals.items() if bulk and total >= bulk.worth_from)

    def _until_quota(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Yield the pages; when a quota ends the reading, what came so far is handled first: so every run gets on."""
        try:
            yield from pages
        except QuotaError:
            self._flush()
            raise

    def _run_enforcement(self, *, hold_flags: bool) -> bool:
        confirmed = self._options.confirm_spread
        all_read = self._fresh == self._job.shapes.keys()
        enforcement = Enforcement(
            self._job.crm,
            self._job.shapes,
            self._ledger,
            self._pending,
            self._pipeline,
            self._job.clock,
            confirm_spread=confirmed,
            hold_flags=hold_flags,
            all_read=all_read,
        )
        batches = enforcement.items(self._batch_size)
        whole = all(self._take(items) and self._flush() for items in batches)
        if whole and not hold_flags:
            switchboards = sorted(enforcement.switchboards.items())
            self._summary.spread = [SpreadNumber(mask(e164), count) for e164, count in switchboards]
        return whole

    def _take(self, items: Sequence[DueRecord]) -> bool:
        """Queue due records and process full batches; return False when the run has to end here."""
        left = None if self._options.limit is None else self._options.limit - self._queued
        taken = items if left is None else items[:left]
        self._buffer.extend(taken)
        self._queued += len(taken)
        while len(self._buffer) >= self._batch_size:
            if not self._process(self._batch_size):
                return False
        if len(taken) < len(items):
            self._flush()
            return False
        return True

    def _flush(self) -> bool:
        """Process what is queued; return False when the run has to end here."""
        while self._buffer:
            if not self._process(min(len(self._buffer), self._batch_size)):
                return False
        self._count(self._pipeline.drain())
        return True

    def _process(self, count: int) -> bool:
        self._heartbeat()
        self._count(self._pipeline.process([self._buffer.popleft() for _ in range(count)]))
        if self._screening.exhausted:
            self._count(self._pipeline.drain())
            self._summary.stopped = (
                f"The budget of {self._job.max_lookups} lookups is used up (RINGFENCE_LOOKUP__MAX_LOOKUPS). "
                "The next run goes on from here and pays for nothing twice."
            )
        return self._spreading or not self._screening.exhausted

    def _count(self, done: int) -> None:
        """Take in that so many more records have an outcome."""
        self._processed += done
        self._job.progress.advance(done)
        self._commit()

    def _commit(self) -> None:
        """Move the cursors past the pages whose every record has an outcome."""
        done: dict[str, str] = {}
        while self._pages and self._pages[0][2] <= self._processed:
            name, cursor, _ = self._pages.popleft()
            if cursor is not None:
                done[name] = cursor
        if done:
            self._cursors.move(done, self._job.clock.now())
