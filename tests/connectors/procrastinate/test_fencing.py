"""A worker that was long away ends no job that was taken from it, and a job that nobody carries out is taken again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from ringfence.connectors.procrastinate.engine import ProcrastinateEngine
from ringfence.core.clock import SystemClock
from ringfence.core.errors import AuthenticationError
from ringfence.core.ports.jobs import JobRequest, JobRun, JobState
from ringfence.core.state.store import Store, open_store
from testkit.jobs import wait_until, working
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    """Give an empty state store on the server."""
    with postgres.database(EMPTY_STORE) as url, closing(open_store(url, TEST_KEY)) as opened:
        yield opened


@pytest.mark.slow
def test_what_a_worker_says_of_a_job_that_it_lost_does_not_count(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ringfence.connectors.procrastinate.engine.SWEEP_S", 0.2)
    engine = ProcrastinateEngine(store, SystemClock())
    attempts: list[int] = []

    def task(run: JobRun) -> None:
        attempts.append(run.job.attempts)
        if len(attempts) == 1:
            with store.transaction() as connection:
                connection.exec_driver_sql("UPDATE ringfence_jobs.procrastinate_jobs SET worker_id = NULL")
            wait_until(lambda: engine.find(run.job.id).state is JobState.WAITING)
            raise AuthenticationError("no")

    (job_id,) = engine.enqueue([JobRequest("task")])
    with working(engine, {"task": task}):
        wait_until(lambda: engine.find(str(job_id)).state is JobState.DONE)

    assert attempts == [1, 2]
    assert engine.find(str(job_id)).attempts == 2
    assert "its worker has died" in caplog.text
    assert "was taken over by another worker" in caplog.text
