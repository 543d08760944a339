"""What every run that may write shares: the org's lease, the history, and how it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from .mode import RunMode
from .progress import NoProgress, Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncJob:
    """All that a run needs, wired by the composition root.

    ``explain`` returns an error in the words of the door that runs the job, for the summary and the history.
    """

    crm: Crm
    org: Org
    shapes: Mapping[str, ObjectShape]
    store: Store
    policy: Policy
    clock: Clock
    lookups: Sequence[Lookup] = ()
    max_lookups: int | None = None
    progress: Progress = field(default_factory=NoProgress)
    explain: Callable[[RingfenceError], str] = str


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
def open_run(job: SyncJob, summary: RunSummary, options: Mapping[str, Any], mode: RunMode) -> Iterator[RunContext]:
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
        logger.info("run %s of %s begins%s", summary.run_id, job.org.key, " (dry run)" if mode.dry_run else "")
        journal.begin(job.crm.name, org_id, clock.now(), dry_run=mode.dry_run, options=options)
        summary.reconciled = reconcile(
            job.crm, job.shapes, job.store, org_id, summary.run_id, clock, lambda: lease.renew(clock.now())
        )
        with mode.open_store(job.store) as store:
            entered = True
            yield RunContext(replace(job, store=store), org_id, lease, journal)
        outcome = _outcome(summary)
    except StoppedError as stop:
        outcome, error = RunOutcome.STOPPED, job.explain(stop)
        summary.stopped = error
        if not entered:
            raise
    except RingfenceError as failure:
        error = job.explain(failure)
        raise
    except KeyboardInterrupt:
        outcome, error = RunOutcome.INTERRUPTED, "interrupted"
        raise
    finally:
        summary.api_calls_by_purpose = dict(job.crm.calls)
        summary.api_calls = sum(job.crm.calls.values())
        summary.duration_s = round(clock.monotonic() - started, 3)
        journal.end(clock.now(), outcome, summary.to_json(), error)
        logger.info("run %s ends: %s, %.1f s", summary.run_id, outcome.value, summary.duration_s)
        lease.release()


def _outcome(summary: RunSummary) -> RunOutcome:
    if summary.stopped:
        return RunOutcome.STOPPED
    return RunOutcome.REFUSED_ROWS if summary.refused_rows() else RunOutcome.DONE
