"""Jobs in the state's file whose worker is gone, or which were taken from a worker that was long away."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from ringfence.core.clock import SystemClock
from ringfence.core.errors import Terminated
from ringfence.core.ports.jobs import JobEngine, JobRequest, JobRun, JobState, Tally
from ringfence.core.state import schema
from ringfence.core.state.jobs.claims import Claims
from ringfence.core.state.jobs.retries import MOST_ATTEMPTS
from ringfence.core.state.store import Store
from testkit.jobs import wait_until, working

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)

JOB = JobRequest("task")


def take(store: Store, engine: JobEngine, worker_id: str) -> str:
    """Let a worker that never says anything again take a job, and return the id."""
    engine.enqueue([JOB])
    taken = Claims(store, SystemClock()).take(worker_id, ["default"])
    assert taken is not None
    return taken[0].id


def note_worker(store: Store, worker_id: str, *, host: str, silent: timedelta) -> None:
    """Put a worker of another process on record."""
    row = {"id": worker_id, "host": host, "pid": 1, "process_started": "", "queues": '["default"]'}
    with store.transaction() as connection:
        connection.execute(insert(schema.workers).values(**row, renewed_at=SystemClock().now() - silent))


@pytest.mark.parametrize(("silent_s", "done"), [(5, 0), (40, 1)])
def test_a_silent_worker_of_another_machine_counts_as_dead_after_half_a_minute(
    engine: JobEngine, store: Store, silent_s: int, done: int
) -> None:
    job_id = take(store, engine, "far")
    note_worker(store, "far", host="far.example", silent=timedelta(seconds=silent_s))
    assert engine.live_workers("default") == 1 - done

    Claims(store, SystemClock()).free_of_the_dead()

    assert engine.find(job_id).state is (JobState.WAITING if done else JobState.RUNNING)
    assert engine.find(job_id).attempts == 1


def test_a_job_that_ends_its_workers_fails_in_the_end(engine: JobEngine, store: Store) -> None:
    job_id = take(store, engine, "gone")
    with store.transaction() as connection:
        connection.execute(update(schema.jobs).values(attempts=MOST_ATTEMPTS))

    Claims(store, SystemClock()).free_of_the_dead()

    assert engine.find(job_id).state is JobState.FAILED


def test_a_job_that_was_cancelled_while_its_worker_died_is_over(engine: JobEngine, store: Store) -> None:
    job_id = take(store, engine, "gone")
    assert engine.cancel(job_id).state is JobState.RUNNING

    Claims(store, SystemClock()).free_of_the_dead()

    assert engine.find(job_id).state is JobState.CANCELLED


def test_a_job_that_was_taken_away_must_end_and_what_is_said_of_it_does_not_count(
    engine: JobEngine, store: Store
) -> None:
    began = threading.Event()

    def task(run: JobRun) -> None:
        began.set()
        wait_until(run.must_end)
        raise Terminated

    (job_id,) = engine.enqueue([JOB])
    with working(engine, {"task": task}) as tallies:
        assert began.wait(15)
        note_worker(store, "other", host="far.example", silent=timedelta(0))
        with store.transaction() as connection:
            connection.execute(update(schema.jobs).values(worker_id="other"))
        wait_until(lambda: not [each for each in threading.enumerate() if each.name == f"ringfence-job-{job_id}"])

    assert tallies == [Tally()]
    assert engine.find(str(job_id)).state is JobState.RUNNING
