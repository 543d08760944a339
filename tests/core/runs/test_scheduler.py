"""The scheduler: each tick once, missed ones as the file says, overlapping ones left out, windows that close."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from ringfence.core.config.schedule import ScheduledJob
from ringfence.core.decisions.timetable import Timetable
from ringfence.core.ports.jobs import JobRequest, JobState
from ringfence.core.runs.scheduler import PlannedJob, Scheduler
from ringfence.core.state import schema
from ringfence.core.state.jobs.queue import JobQueue
from ringfence.core.state.store import Store
from ringfence.core.state.ticks import Ticks
from testkit.clock import SetClock

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)

START = datetime(2026, 10, 20, 0, 0, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

Schedulers = Callable[..., Scheduler]


def plan(name: str = "nightly", **keys: Any) -> PlannedJob:
    job = ScheduledJob.model_validate({"name": name, "run": "check", **keys})
    request = JobRequest("command", {"argv": ["check"], "schedule": name}, queueing_lock=f"schedule:{name}")
    return PlannedJob(name, Timetable(job, BERLIN), request, job.overlap, job.missed)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
def jobs(store: Store, clock: SetClock) -> JobQueue:
    return JobQueue(store, clock)


@pytest.fixture
def scheduler(store: Store, jobs: JobQueue, clock: SetClock) -> Schedulers:
    """Start a scheduler of these jobs."""

    def start(*planned: PlannedJob) -> Scheduler:
        begun = Scheduler(planned, Ticks(store), jobs, clock)
        begun.step()
        return begun

    return start


@pytest.fixture
def set_state(store: Store) -> Callable[[JobState], None]:
    """Let all jobs that are not over stand in this state."""

    def set_(state: JobState) -> None:
        table = schema.jobs
        open_ = table.c.state.in_([JobState.WAITING.value, JobState.RUNNING.value])
        with store.transaction() as connection:
            connection.execute(update(table).where(open_).values(state=state.value))

    return set_


def test_a_tick_is_started_when_it_is_due(scheduler: Schedulers, jobs: JobQueue, clock: SetClock) -> None:
    running = scheduler(plan(every="15m"))
    clock.advance(minutes=14)
    at = running.step()
    assert (at, jobs.list()) == (START.replace(minute=15, second=0), [])

    clock.advance(seconds=30)
    following = running.step()

    assert following == START.replace(minute=30, second=0)
    (job,) = jobs.list()
    assert (job.kind, job.arguments["argv"], job.queue) == ("command", ["check"], "default")


def test_a_jitter_is_waited_for(scheduler: Schedulers, jobs: JobQueue, clock: SetClock) -> None:
    running = scheduler(plan(every="15m", jitter="10m"))
    starts_at = running.step()
    assert starts_at is not None
    assert starts_at > START.replace(minute=15, second=0)

    clock.time = starts_at - timedelta(seconds=1)
    running.step()
    before = len(jobs.list())
    clock.time = starts_at
    running.step()

    assert (before, len(jobs.list())) == (0, 1)


@pytest.mark.parametrize(("missed", "expected"), [("once", 1), ("skip", 0)])
def test_what_was_missed_is_done_once_or_not(
    scheduler: Schedulers,
    jobs: JobQueue,
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
    missed: str,
    expected: int,
) -> None:
    scheduler(plan(cron="15 2 * * *", missed=missed))
    clock.advance(days=3, hours=7)

    scheduler(plan(cron="15 2 * * *", missed=missed))
    again = scheduler(plan(cron="15 2 * * *", missed=missed))

    assert len(jobs.list()) == expected
    assert again.started == 0
    assert ("started once for all that was due after 2026-10-20T00:00:30" in caplog.text) is bool(expected)
    assert ("nothing ran the schedule at the time" in caplog.text) is not bool(expected)


def test_a_new_job_has_missed_nothing_and_neither_has_one_at_other_times(
    scheduler: Schedulers, jobs: JobQueue, clock: SetClock
) -> None:
    scheduler(plan(cron="15 2 * * *"))
    clock.advance(hours=12)
    scheduler(plan(cron="0 9 * * *"), plan("new", cron="0 9 * * *"))

    clock.advance(days=1)
    scheduler(plan(cron="0 9 * * *"), plan("new", cron="0 9 * * *"))

    assert Counter(job.arguments["schedule"] for job in jobs.list()) == {"nightly": 1, "new": 1}


def test_a_job_that_becomes_known_in_the_second_of_a_tick_takes_it_from_nobody(
    scheduler: Schedulers, jobs: JobQueue, clock: SetClock
) -> None:
    first = scheduler(plan(every="1h"))
    clock.time = START.replace(hour=1, minute=0, second=0)

    scheduler(plan(every="2h"))  # of the same name, from another file
    first.step()

    assert len(jobs.list()) == 1


def test_years_of_a_machine_that_was_off_are_no_work(scheduler: Schedulers, jobs: JobQueue, clock: SetClock) -> None:
    scheduler(plan(every="5m"))
    clock.advance(days=2000)

    scheduler(plan(every="5m"))

    assert len(jobs.list()) == 1


def test_a_store_that_was_away_for_a_moment_makes_nothing_missed(
    scheduler: Schedulers, jobs: JobQueue, clock: SetClock
) -> None:
    running = scheduler(plan(cron="15 2 * * *", missed="skip"))

    clock.time = datetime(2026, 10, 20, 0, 19, tzinfo=UTC)
    running.step()

    assert len(jobs.list()) == 1


@pytest.mark.parametrize("at_it", [JobState.WAITING, JobState.RUNNING])
def test_while_the_previous_one_is_at_it_a_tick_is_left_out(
    scheduler: Schedulers,
    jobs: JobQueue,
    clock: SetClock,
    set_state: Callable[[JobState], None],
    caplog: pytest.LogCaptureFixture,
    at_it: JobState,
) -> None:
    running = scheduler(plan(every="1h"))
    clock.advance(hours=1)
    running.step()
    set_state(at_it)

    clock.advance(hours=1)
    running.step()
    during = len(jobs.list())
    set_state(JobState.DONE)
    clock.advance(hours=1)
    running.step()

    assert (during, len(jobs.list())) == (1, 2)
    assert (running.started, running.left_out) == (2, 1)
    assert caplog.text.count("the previous one is still at it") == 1


def test_with_queue_one_waits_behind_the_one_that_runs(
    scheduler: Schedulers, jobs: JobQueue, clock: SetClock, set_state: Callable[[JobState], None]
) -> None:
    running = scheduler(plan(every="1h", overlap="queue"))
    clock.advance(hours=1)
    running.step()
    set_state(JobState.RUNNING)

    for _ in range(3):
        clock.advance(hours=1)
        running.step()

    assert [job.state for job in jobs.list()] == [JobState.WAITING, JobState.RUNNING]
    assert (running.started, running.left_out) == (2, 2)


def test_a_job_is_asked_to_end_when_its_window_closes(
    scheduler: Schedulers,
    jobs: JobQueue,
    clock: SetClock,
    store: Store,
    set_state: Callable[[JobState], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    running = scheduler(plan(every="1h", window="02:30-06:00"))
    clock.time = datetime(2026, 10, 20, 1, 0, tzinfo=UTC)
    running.step()
    set_state(JobState.RUNNING)

    clock.time = datetime(2026, 10, 20, 3, 59, tzinfo=UTC)
    running.step()
    before = _asked(store)
    clock.time = datetime(2026, 10, 20, 4, 0, 5, tzinfo=UTC)
    running.step()
    running.step()

    assert (before, _asked(store)) == (0, 1)
    assert caplog.text.count("asked to end, because its window has closed") == 1


def test_what_was_missed_is_not_done_outside_its_window(
    scheduler: Schedulers, jobs: JobQueue, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler(plan(cron="15 2 * * *", window="01:00-06:00"))
    clock.time = datetime(2026, 10, 23, 9, tzinfo=UTC)

    scheduler(plan(cron="15 2 * * *", window="01:00-06:00"))

    assert jobs.list() == []
    assert "its window has closed" in caplog.text


def _asked(store: Store) -> int:
    with store.transaction() as connection:
        return sum(connection.scalars(select(schema.jobs.c.cancel_asked)))


def test_a_job_that_comes_up_while_it_runs_has_missed_nothing_and_stays(
    store: Store, jobs: JobQueue, clock: SetClock
) -> None:
    more = [plan("nightly-acme", cron="15 2 * * *")]
    running = Scheduler([], Ticks(store), jobs, clock, lambda: more)
    assert running.step() == datetime(2026, 10, 20, 0, 15, tzinfo=UTC)

    more.clear()  # the worker that has the account begins anew at this very moment
    clock.advance(days=1)
    running.step()

    assert [job.arguments["schedule"] for job in jobs.list()] == ["nightly-acme"]
