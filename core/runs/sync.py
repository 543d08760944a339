"""A sync: opens the feed, goes through the phases, and accounts for everything at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ..errors import (
    AuthenticationError,
    BusyError,
    CostError,
    ErrorCode,
    RingfenceError,
    StateError,
    StoppedError,
    Terminated,
)
from ..ports.crm import Feed
from ..screening.forecast import forecast
from ..screening.prices import describe_cost, unpriced_error
from ..state.earlier_syncs import has_synced, last_complete_sync, last_providers
from ..state.lookup_cache import crm_realm
from ..state.run_history import new_run_id
from ..suppression.mapping_guard import check_opt_out_fields
from ..suppression.spread import OptOutSpread
from ..writing.plan_file import PlanHead, PlanWriter
from .ask_silent import AskAboutSilence
from .ending import describe_end
from .figures import count_fewest_calls, find_costs
from .hear_signs import HearSigns
from .mode import Live, Planning, Rehearsal, RunMode, Withholding
from .options import SyncOptions
from .page_reader import FeedReader, PageReader, PageSource
from .parts import assemble
from .phases import IngestOptOuts, Phase, ReadChanged, ReadDue, RetryPending, SeedAnswers, SpreadOptOuts
from .rehearsed import Rehearsed
from .run import RunContext, SyncJob, open_run
from .spending import saved_to_json, spending_to_json
from .summary import Summary

__all__ = ["SyncOptions", "run_sync"]

logger = logging.getLogger(__name__)

_BEYOND_HELP = (BusyError, StateError, AuthenticationError, MemoryError)
"""After these no opt-out can be enforced: the run is another's, or neither the state nor the CRM is open to us."""


def run_sync(job: SyncJob, options: SyncOptions, make_run: MakeRun | None = None) -> Summary:
    """Run one sync and return what it did; the history keeps it too. ``make_run`` makes the run of another kind.

    A run that ends early (a quota, an outage, a guard) returns with ``complete`` False and ``stopped`` saying why; the
    opt-outs are enforced all the same. So they are where a provider refuses the credentials, or nobody has agreed to
    what the lookups cost (CostError), before this is raised.
    Raises the other errors of :mod:`ringfence.core.errors`, and KeyboardInterrupt, after the history knows of them.
    """
    options.check()
    mode = _choose_mode(job, options)
    summary = Summary(new_run_id(job.clock.now()), job.name, org=job.org.name, dry_run=mode.dry_run)
    summary.warnings = list(job.warnings)

    asked = {**options.to_json(), "providers": [lookup.name for lookup in job.lookups]}
    with open_run(job, summary, asked, mode) as context:
        try:
            if options.plan_file is None:
                (make_run or SyncRun)(context, options, summary, mode).go()
            else:
                org = job.org
                head = PlanHead(summary.run_id, org.key, job.clock.now(), org.name, org.address)
                with PlanWriter(options.plan_file, head, job.shapes, job.store.keyring) as plan:
                    SyncRun(context, options, summary, Planning(plan)).go()
                    plan.complete(find_costs(job, summary))
        finally:
            count_fewest_calls(job, summary)
    return summary


class SyncRun:
    """One run on its way through the phases."""

    def __init__(self, context: RunContext, options: SyncOptions, summary: Summary, mode: RunMode) -> None:
        self._context = context
        self._job = context.job
        self._options = options
        self._summary = summary
        self._mode = mode
        self._parts = assemble(context, options, summary, mode)
        self._rehearsed = Rehearsed()

    def go(self) -> None:
        """Work through the run; what is counted stays counted when an error ends it."""
        for name in self._job.shapes:
            self._summary.counts(name)

        lease_is_ours, finish = True, False
        try:
            self._summary.complete = self._work()
        except BusyError:
            lease_is_ours = False
            raise
        except Terminated:
            finish = True  # the last batch is to be written too: its lookups are paid
            raise
        finally:
            self._end(lease_is_ours=lease_is_ours, finish=finish)

    def _work(self) -> bool:
        """Return whether everything was handled."""
        check_opt_out_fields(self._parts.ledger, self._job.shapes, accepted=self._options.accept_opt_out_change)
        feed, newly_read = self._open_feed()
        job, parts = self._job, self._parts
        self._summary.tally.whole = frozenset(filter(feed.is_full, job.shapes))
        full = self._summary.full = bool(self._summary.tally.whole)
        source = FeedReader(job.crm, job.shapes, job.progress, self._context.heartbeat, self._options.limit, feed)

        whole = self._read(self._reading_phases(source, newly_read, full=full))
        # Silencing costs no lookup and waits for nothing that went wrong; a user's limit covers these records too.
        if not whole and not parts.brake.pulled:
            self._tell_what_went_wrong()
            return False

        # How many records hold a number is known only after a whole read: until then slots are silenced, flags wait.
        hold_flags = full and not whole
        spread_out = self._enforce(
            self._spreading(source, hold_flags=hold_flags, all_read=newly_read == job.shapes.keys())
        )

        self._tell_what_went_wrong()
        complete = spread_out and whole and not parts.screening.exhausted
        if complete and self._options.limit is None and not self._mode.dry_run:
            self._asking_about_silence().run()
        return complete

    def _read(self, phases: Iterable[Phase]) -> bool:
        """Work through the phases and return whether they went to their end; what fails on the way pulls the brake."""
        try:
            return all(phase.run() for phase in phases)
        except _BEYOND_HELP:
            raise
        except Exception as failure:  # noqa: BLE001 - it is raised again once the opt-outs are enforced
            self._parts.queue.give_up()
            self._parts.brake.pull(failure)
            return False

    def _enforce(self, spreading: SpreadOptOuts) -> bool:
        """Enforce the opt-outs, as far as it goes where something went wrong before; return whether all are."""
        try:
            return spreading.run()
        except _BEYOND_HELP:
            raise
        except Exception as failure:
            if not self._parts.brake.pulled:
                raise
            # By its kind only: the words are the CRM's, and the first error is the one that is told.
            logger.warning("not every opt-out was enforced in this run (%s)", type(failure).__name__)
            return False

    def _tell_what_went_wrong(self) -> None:
        """Raise the worst of what kept the run from handling everything: a fault, then a refusal, then what passes."""
        parts = self._parts
        self._context.heartbeat()  # asked to end, the last batch may have left lookups unasked
        errors = [error for error in (parts.brake.error, parts.screening.outage) if error is not None]
        if not errors and (failed := parts.screening.tally.failed):
            raise _lookups_failed(failed)
        if not errors:
            self._refuse_unagreed()
        if errors:
            raise min(errors, key=lambda error: error.exit_code if isinstance(error, RingfenceError) else 0)

    def _refuse_unagreed(self) -> None:
        """Raise what kept lookups from being bought: nobody has agreed to their cost (CostError), or can tell it."""
        tally = self._parts.screening.tally
        if not (tally.would_buy and isinstance(self._mode, Withholding)):
            return
        if unpriced := self._job.unpriced:
            raise unpriced_error(unpriced)
        cost = describe_cost(forecast(tally, self._job.lookups).cost, self._job.currency)
        raise CostError(tally.would_buy, cost, code=ErrorCode.LOOKUPS_NOT_AGREED)

    def _open_feed(self) -> tuple[Feed, frozenset[str]]:
        """Return the reads of this run, and the objects whose full read begins with it."""
        anew = self._options.full or self._options.rescreen
        # A rescreen that was stopped goes on where it was; an object that it did not get to is read from the start.
        kept: Mapping[str, str] = {} if anew else self._parts.cursors.read(self._parts.examiner.rescreen_before)
        newly_read = frozenset(name for name in self._job.shapes if name not in kept)

        self._parts.ledger.begin_full_read(newly_read)
        cursors = {name: kept.get(name) for name in self._job.shapes}
        return self._job.crm.open_feed(cursors, self._parts.own_writes), newly_read

    def _reading_phases(self, source: FeedReader, newly_read: frozenset[str], *, full: bool) -> Iterable[Phase]:
        """Return the phases that read, in their order; each begins where the one before it has ended."""
        job, parts = self._job, self._parts
        since = job.clock.now() - job.policy.max_age
        if self._mode.dry_run:
            limited = self._options.limit is not None
            self._rehearsed = Rehearsed(name for name in job.shapes if limited or not source.feed.is_full(name))
        pages = PageReader(
            source,
            parts.examiner,
            parts.outbox,
            parts.queue,
            parts.tracker,
            parts.ledger,
            parts.brake,
            newly_read,
            accept_mass_change=self._options.accept_mass_change,
            rehearsed=self._rehearsed,
        )

        yield IngestOptOuts(source, parts.ledger, parts.pending, job.clock)
        if self._options.limit is not None:
            # Opt-outs have the first places of a limit; before a whole read too few holders are known to raise flags.
            yield self._spreading(source, hold_flags=full, all_read=False, first=True)
        if job.lookups and (full or self._has_new_provider()):
            yield SeedAnswers(source, parts.known.cache, crm_realm(job.org.key), since, self._summary)
        yield HearSigns(source, job.store, self._context.org_id, job.ledger, parts.examiner, parts.queue, parts.brake)
        yield from self._changed(source, pages, full=full)
        self._summary.tally.end_reading(newly_read)
        if full and not self._mode.dry_run:
            yield IngestOptOuts(source, parts.ledger, parts.pending, job.clock, meanwhile=True)
        yield from self._due(source, pages, since)
        yield RetryPending(source, parts.examiner, parts.queue, parts.pending, parts.brake, self._summary.run_id)

    def _changed(self, source: FeedReader, pages: PageReader, *, full: bool) -> Iterable[Phase]:
        """Return how the changed records are read."""
        return [ReadChanged(source, pages, self._parts.ledger, full=full)]

    def _due(self, source: FeedReader, pages: PageReader, before: datetime) -> Iterable[Phase]:
        """Return how the records are read that are due by age."""
        return [ReadDue(source, pages, before)]

    def _has_new_provider(self) -> bool:
        """Return whether a provider is there that the sync before this one did not have."""
        before = last_providers(self._job.store, self._context.org_id)
        return before is not None and any(lookup.name not in before for lookup in self._job.lookups)

    def _spreading(self, source: PageSource, *, hold_flags: bool, all_read: bool, first: bool = False) -> SpreadOptOuts:
        """Return the phase that spreads opt-outs; see :class:`OptOutSpread` for the two choices."""
        job, parts = self._job, self._parts
        spread = OptOutSpread(
            job.crm,
            job.shapes,
            parts.ledger,
            parts.pending,
            parts.examiner,
            job.clock,
            confirm_spread=self._options.confirm_spread,
            hold_flags=hold_flags,
            all_read=all_read,
            but_refused=first,
        )
        return SpreadOptOuts(spread, source, parts.queue, parts.pending, self._rehearsed, self._summary)

    def _asking_about_silence(self) -> AskAboutSilence:
        """Return the phase that asks people about numbers of which nothing was heard for long."""
        job, context = self._job, self._context
        suppressed = self._parts.ledger.find_suppressed
        return AskAboutSilence(
            job.store, context.org_id, job.ledger, job.evidence, job.clock, suppressed, context.heartbeat, self._summary
        )

    def _end(self, *, lease_is_ours: bool, finish: bool) -> None:
        """Account for what has an outcome, also where the run ends in the middle."""
        parts, summary = self._parts, self._summary
        if lease_is_ours:
            parts.queue.count_done(parts.processor.close(finish=finish))
        else:
            # Whoever took over finds out what became of the rows, as after a run that was killed.
            parts.outbox.close(())
        self._context.lease.keep_for(parts.outbox.sender)

        tally = parts.screening.tally
        summary.lookups = tally.lookups
        summary.lookup_cache_hits = tally.cache_hits
        summary.lookup_duplicates = tally.duplicates
        summary.saved = saved_to_json(tally)
        summary.spending = spending_to_json(tally, self._job.currency)
        summary.planned = forecast(tally, self._job.lookups)
        summary.currency = self._job.currency
        summary.providers = tally.providers
        summary.lookups_lost = tally.lost
        summary.lookups_waiting = tally.waiting
        summary.unrecognised = tally.unrecognised
        if parts.examiner.rescreen_before is not None:
            summary.fresh_without_lookup = 0  # they are on their way
        if self._job.lookups and not has_synced(self._job.store, self._context.org_id):
            # Two installations on one account do not know what the other one has bought.
            summary.screened_elsewhere = summary.skip_reasons["fresh"]
        summary.expired_lists = parts.lists.names()
        summary.waiting = parts.pending.count()
        summary.last_complete_sync = last_complete_sync(self._job.store, self._context.org_id)
        if summary.oldest_fresh is not None:
            summary.fresh_until = summary.oldest_fresh + self._job.policy.max_age
        if parts.screening.cap is not None:
            budget = parts.screening.cap.error()
            summary.end, summary.stopped = describe_end(budget, self._job.word), self._job.explain(budget)


MakeRun = Callable[[RunContext, SyncOptions, Summary, RunMode], SyncRun]
"""Makes a run that goes about a sync in its own way."""


def _choose_mode(job: SyncJob, options: SyncOptions) -> RunMode:
    if options.dry_run:
        return Rehearsal(shared=job.taken_in.rehearsal)
    return Withholding() if job.may_not_buy else Live()


def _lookups_failed(numbers: int) -> StoppedError:
    return StoppedError(
        f"{numbers:,} lookups failed for now: their records are as they were, and wait for the next run.",
        code=ErrorCode.LOOKUPS_FAILED,
    )
