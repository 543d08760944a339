"""What every run that may write shares: the org's lease, the history, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..errors import RingfenceError, StoppedError
from ..model.policy import Policy
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Org
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..state.cursors import register_org
from ..state.journal import Journal, RunOutcome
from ..state.leases import Lease, take_lease, this_process
from ..state.store import Store
from ..writing.reconcile import reconcile


class Progress(Protocol):
    """Is told how far a run has come."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A part of the run begins; ``total`` is how many records it holds, where that is known."""
        ...

    def advance(self, records: int) -> None:
        """So many more records have an outcome."""
        ...

    def bought(self, lookups: int) -> None:
        """So many lookups have been bought so far."""
        ...


class NoProgress:
    """Progress that nobody watches."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, records: int) -> None:
        """Say nothing."""

    def bought(self, lookups: int) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class SyncJob:
    """All that a run needs, wired by the composition root."""

    crm: Crm
    org: Org
    shapes: Mapping[str, ObjectShape]
    store: Store
    policy: Policy
    clock: Clock
    lookups: Sequence[Lookup] = ()
    max_lookups: int | None = None
    progress: Progress = field(default_factory=NoProgress)


class RunSummary(Protocol):
    """What a summary has to tell, whatever the run was for."""

    run_id: str
    stopped: str
    reconciled: int
    api_calls: int
    api_calls_by_purpose: dict[str, int]
    duration_s: float

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
        """Say that the run is alive. Raises BusyError when another run has taken over."""
        self.lease.renew(self.job.clock.now())


@contextmanager
def open_run(job: SyncJob, summary: RunSummary, options: Mapping[str, Any], *, dry_run: bool) -> Iterator[RunContext]:
    """Hold the org's lease and keep the history for the block; settle first what a killed run has left.

    A StoppedError that leaves the block ends it in good order, with ``summary.stopped`` saying why. Raises BusyError
    when another run holds the lease, and what keeps the block from being entered; the other errors, and
    KeyboardInterrupt, pass on after the history knows of them.
    """
    clock, started = job.clock, job.clock.monotonic()
    org_id = register_org(job.store, job.org)
    lease = take_lease(job.store, org_id, summary.run_id, clock.now(), this_process())
    journal = Journal(job.store, summary.run_id)
    outcome, error, entered = RunOutcome.FAILED, None, False
    try:
        journal.begin(job.crm.name, org_id, clock.now(), dry_run=dry_run, options=options)
        summary.reconciled = reconcile(
            job.crm, job.shapes, job.store, org_id, summary.run_id, clock, lambda: lease.renew(clock.now())
        )
        working: AbstractContextManager[Store] = job.store.rehearsal() if dry_run else nullcontext(job.store)
        with working as store:
            entered = True
            yield RunContext(replace(job, store=store), org_id, lease, journal)
        outcome = _outcome(summary)
    except StoppedError as stop:
        outcome, error, summary.stopped = RunOutcome.STOPPED, str(stop), str(stop)
        if not entered:
            raise
    except RingfenceError as failure:
        error = str(failure)
        raise
    except KeyboardInterrupt:
        outcome, error = RunOutcome.INTERRUPTED, "interrupted"
        raise
    finally:
        summary.api_calls_by_purpose = dict(job.crm.calls)
        summary.api_calls = sum(job.crm.calls.values())
        summary.duration_s = round(clock.monotonic() - started, 3)
        journal.end(clock.now(), outcome, summary.to_json(), error)
        lease.release()


def _outcome(summary: RunSummary) -> RunOutcome:
    if summary.stopped:
        return RunOutcome.STOPPED
    return RunOutcome.REFUSED_ROWS if summary.refused_rows() else RunOutcome.DONE
