"""What every run that may write shares: the org's lease, the history, and how it ends."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from ..config.clocks import Clocks
from ..errors import RingfenceError, StoppedError, Terminated
from ..model.caps import NO_CAPS, Caps
from ..model.evidence_rules import EvidenceRules
from ..model.field_roles import FieldRoles
from ..model.policy import Policy
from ..model.run_outcome import RunOutcome
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Learning, Org
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..screening.prices import find_unpriced
from ..state.cursors import register_org
from ..state.journal import Journal
from ..state.learnt import keep_learnt, read_learnt
from ..state.leases import Lease, take_lease, this_process
from ..state.part_holds import end_other_runs
from ..state.run_parts import forget_other_runs
from ..state.store import Store
from ..writing.reconcile import reconcile
from .ending import RunEnd, Word, describe_end
from .mode import RunMode
from .progress import NoProgress, Progress

logger = logging.getLogger(__name__)

PAUSE_S = 1.0
"""How long is waited at a time for what other processes do."""


class TakenIn(NamedTuple):
    """What was done for an account before its run: its opt-outs were taken in, with those of others.

    ``calls`` are the HTTP requests of it by purpose, ``reconciled`` the rows of a killed run that it has settled, and
    ``rehearsal`` the store of a dry run that knows of them; None: the state itself does.
    """

    calls: Mapping[str, int] = MappingProxyType({})
    reconciled: int = 0
    rehearsal: Store | None = None


NOTHING_TAKEN_IN = TakenIn()
"""The run is on its own."""


@dataclass(frozen=True, slots=True)
class SyncJob:
    """All that a run needs, wired by the composition root.

    ``caps`` hold down what the run buys; with ``withhold`` it buys nothing and tells what it would have bought, for
    nobody has agreed to the cost.

    ``explain`` returns an error in the words of the door that runs the job, for the history; ``word`` its message and
    its remedy apart, for the summary. ``began`` is called with the summary once the run is in the history: it is filled
    from then on, and says how the run has ended, also where an error leaves it. ``must_end`` tells whether the process
    was asked to end: the run then does so before the next batch or page. ``warnings`` are what the summary is to say of
    the run as a whole, such as that a preview came before the set-up. ``account`` is what the account is called where
    there are several; empty: as its CRM. ``ledger`` names the suppression ledger that it is on, "" the one that
    accounts share. ``taken_in`` is what was done for the account before, while the opt-outs of several were taken in.
    ``clocks`` reads what the law gives time for; None: nobody asks. ``evidence`` are the rules by which calls and
    messages are weighed. ``made_before`` are the calls, by purpose, that the
    connection had made before, for other runs.
    """

    crm: Crm
    org: Org
    shapes: Mapping[str, ObjectShape]
    store: Store
    policy: Policy
    clock: Clock
    lookups: Sequence[Lookup] = ()
    caps: Caps = NO_CAPS
    withhold: bool = False
    progress: Progress = field(default_factory=NoProgress)
    explain: Callable[[RingfenceError], str] = str
    word: Word = lambda error: (error.message, error.remedy)
    began: Callable[[Any], None] = lambda _summary: None
    must_end: Callable[[], bool] = lambda: False
    warnings: Sequence[str] = ()
    account: str = ""
    ledger: str = ""
    taken_in: TakenIn = NOTHING_TAKEN_IN
    clocks: Callable[[], Clocks] | None = None
    evidence: EvidenceRules = field(default_factory=EvidenceRules)
    made_before: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what the account is called in the history and in every document."""
        return self.account or self.crm.name

    @property
    def unpriced(self) -> list[str]:
        """Return the providers that must not buy, for money is capped and nobody knows what they cost."""
        return find_unpriced(self.caps, self.lookups)

    @property
    def may_not_buy(self) -> bool:
        """Return whether the run buys nothing: nobody has agreed to the cost, or nobody can tell it."""
        return self.withhold or bool(self.unpriced)

    @property
    def currency(self) -> str:
        """Return the currency of the providers' prices."""
        return self.caps.currency


class RunSummary(Protocol):
    """What a summary has to tell, whatever the run was for."""

    run_id: str
    stopped: str
    end: RunEnd | None
    reconciled: int
    duration_s: float

    def count_calls(self, calls: Mapping[str, int]) -> None:
        """Count the HTTP requests of the run, by purpose."""
        ...

    def refused_rows(self) -> int:
        """Return how many rows the CRM did not take."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run under way: its job, the state's own id of the org, its lease and its journal.

    In a dry run the job's store is a rehearsal's, while lease and journal stay in the live store.
    """

    job: SyncJob
    org_id: int
    lease: Lease
    journal: Journal

    def heartbeat(self) -> None:
        """Say that the run is alive.

        Raises BusyError when another run has taken over, and Terminated when the process was asked to end.
        """
        self.lease.renew(self.job.clock.now())
        if self.job.must_end():
            raise Terminated


@contextmanager
def _watch(job: SyncJob, summary: RunSummary) -> Iterator[None]:
    """Let the summary say which error leaves the block, and let it pass on."""
    try:
        yield
    except BaseException as error:
        summary.end = describe_end(error, job.word)
        if isinstance(error, RingfenceError):
            summary.stopped = job.explain(error)
        raise


@contextmanager
def open_run(job: SyncJob, summary: RunSummary, options: Mapping[str, Any], mode: RunMode) -> Iterator[RunContext]:
    """Hold the org's lease and keep the history for the block; settle first what a killed run has left.

    A StoppedError that leaves the block ends it in good order, with ``summary.end`` saying why. Raises BusyError when
    another run holds the lease, and what keeps the block from being entered; the other errors, KeyboardInterrupt and
    Terminated pass on after the history and the summary know of them.
    """
    started = job.clock.monotonic()
    org_id = register_org(job.store, job.org, job.ledger)
    lease = take_lease(job.store, org_id, summary.run_id, job.clock.now(), this_process())
    context = RunContext(job, org_id, lease, Journal(job.store, summary.run_id))
    entered = False

    try:
        with _watch(job, summary):
            _begin(context, summary, options, mode)
            with mode.open_store(job.store) as store:
                entered = True
                yield replace(context, job=replace(job, store=store))
    except StoppedError:
        if not entered:
            raise
    finally:
        summary.duration_s = round(job.clock.monotonic() - started, 3)
        _end(context, summary)


def _begin(context: RunContext, summary: RunSummary, options: Mapping[str, Any], mode: RunMode) -> None:
    """Enter the run into the history, and find out what became of the rows that a killed run had sent."""
    job = context.job
    # As a field: an id of bare digits in the text would be masked as if it were a number.
    note = " (dry run)" if mode.dry_run else ""
    logger.info("run %s of %s begins%s", summary.run_id, job.name, note, extra={"org_id": job.org.id})
    roles = FieldRoles.of(job.shapes)
    now, dry_run = job.clock.now(), mode.dry_run
    context.journal.begin(job.name, context.org_id, now, dry_run=dry_run, options=options, roles=roles)
    job.began(summary)
    summary.reconciled = job.taken_in.reconciled + _settle(context, summary.run_id, dry_run=mode.dry_run)


def _settle(context: RunContext, run_id: str, *, dry_run: bool) -> int:
    """Find out what became of the rows that a killed run had sent; return how many."""
    job = context.job
    if isinstance(job.crm, Learning):
        job.crm.learnt.update(read_learnt(job.store, context.org_id))
    if dry_run:
        return 0  # what a killed run has left, its bulk job included, is for a run that may write

    def wait() -> None:
        context.heartbeat()
        job.clock.sleep(PAUSE_S)

    end_other_runs(job.store, context.org_id, run_id, job.clock.now, wait)
    reconciled = reconcile(job.crm, job.shapes, job.store, context.org_id, run_id, job.clock, context.heartbeat)
    forget_other_runs(job.store, context.org_id, run_id)
    return reconciled


@contextmanager
def hold_account(job: SyncJob, run_id: str, *, dry_run: bool) -> Iterator[tuple[RunContext, int]]:
    """Hold the org's lease for the block, as a run does that the history need not know of; nothing may be written.

    Yields the context, and how many rows that a killed run had sent were settled first.
    """
    org_id = register_org(job.store, job.org, job.ledger)
    lease = take_lease(job.store, org_id, run_id, job.clock.now(), this_process())
    context = RunContext(job, org_id, lease, Journal(job.store, run_id))
    try:
        yield context, _settle(context, run_id, dry_run=dry_run)
    finally:
        lease.release()


def _end(context: RunContext, summary: RunSummary) -> None:
    """Enter the end of the run into the history, and give the lease back."""
    job = context.job
    summary.count_calls(Counter(job.crm.calls) - Counter(job.made_before) + Counter(job.taken_in.calls))

    end = summary.end
    outcome = end.outcome if end else RunOutcome.REFUSED_ROWS if summary.refused_rows() else RunOutcome.DONE
    try:
        if isinstance(job.crm, Learning):
            keep_learnt(job.store, context.org_id, job.crm.learnt)
        context.journal.end(job.clock.now(), outcome, summary.to_json(), end.text if end else None)
        logger.info("run %s ends: %s, %.1f s", summary.run_id, outcome.value, summary.duration_s)
    finally:
        context.lease.release()
    job.store.tend()
