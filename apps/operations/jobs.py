"""Durable work for a person: what waits, runs and has failed, and trying it again or ending it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.ports.jobs import Job, Jobs, JobState

from ..wiring import Wiring


def list_jobs(wiring: Wiring, states: Sequence[str], limit: int) -> list[Job]:
    """Return the newest jobs first, those in these states where any are named. Raises UsageError for another state."""
    known = [state.value for state in JobState]
    for state in states:
        if state not in known:
            raise UsageError(
                f"There is no state {state!r}{did_you_mean(state, known)}.", f"There are: {', '.join(known)}."
            )

    with _open(wiring) as jobs:
        return [] if jobs is None else jobs.list(states=[JobState(state) for state in states], limit=limit)


def find_job(wiring: Wiring, job_id: str) -> Job:
    """Return a job. Raises UsageError where there is none of this id."""
    with _opened(wiring) as jobs:
        return jobs.find(job_id)


def retry_job(wiring: Wiring, job_id: str) -> Job:
    """Let a job that failed or was cancelled wait again. Raises UsageError for any other."""
    with _opened(wiring) as jobs:
        return jobs.retry(job_id)


def cancel_job(wiring: Wiring, job_id: str) -> Job:
    """Cancel a job that waits, ask one that runs to end. Raises UsageError for one that is not there, or is over."""
    with _opened(wiring) as jobs:
        job = jobs.find(job_id)
        if job.state not in (JobState.WAITING, JobState.RUNNING):
            raise UsageError(f"Job {job.id} is {job.state} already.", "There is nothing to cancel.")
        return jobs.cancel(job_id)


@contextmanager
def _open(wiring: Wiring) -> Iterator[Jobs | None]:
    """Yield the jobs of the state; None where there is none yet, for a question makes no file."""
    store = wiring.open_state_if_there()
    if store is None:
        yield None
        return
    try:
        yield wiring.open_jobs(store)
    finally:
        store.close()


@contextmanager
def _opened(wiring: Wiring) -> Iterator[Jobs]:
    with _open(wiring) as jobs:
        if jobs is None:
            raise UsageError("There is no state store yet, and so no job.", code=ErrorCode.NO_STATE)
        yield jobs
