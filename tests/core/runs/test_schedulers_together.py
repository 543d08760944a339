"""Two schedulers on one store for ten days, the night of a doubled hour among them, each killed again and again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from ringfence.core.config.schedule import ScheduledJob
from ringfence.core.decisions.timetable import Timetable
from ringfence.core.ports.jobs import Job, JobEngine, JobRequest, JobState
from ringfence.core.runs.scheduler import PlannedJob, Scheduler
from ringfence.core.state.store import Store
from ringfence.core.state.ticks import Ticks
from testkit.clock import SetClock
from testkit.jobs import open_engine

START = datetime(2026, 10, 20, 0, 0, 30, tzinfo=UTC)


def plan(name: str, **keys: Any) -> PlannedJob:
    job = ScheduledJob.model_validate({"name": name, "run": "check", **keys})
    request = JobRequest("command", {"argv": ["check"], "schedule": name}, queueing_lock=f"schedule:{name}")
    return PlannedJob(name, Timetable(job, ZoneInfo("Europe/Berlin")), request, job.overlap, job.missed)


TEN_DAYS = START + timedelta(days=10)

PLANNED = (
    plan("nightly", cron="30 2 * * *", jitter="20m", overlap="queue"),
    plan("hourly", cron="0 * * * *", window="22:00-04:00"),
    plan("often", every="7h"),
)


class _Killed(BaseException):
    """What a killed process would not even see."""


class MortalJobs:
    """Jobs of an engine that are done at once, and whose process is killed at every seventh, in the middle of it."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self._count = 0
        self.list, self.cancel, self.retry = engine.list, engine.cancel, engine.retry

    def enqueue(self, requests: Sequence[JobRequest], within: Connection | None = None) -> list[str | None]:
        ids = self._engine.enqueue([replace(request, queueing_lock=None) for request in requests], within)
        self._count += 1
        if self._count % 7 == 0:
            raise _Killed
        return ids

    def find(self, job_id: str) -> Job:
        return replace(self._engine.find(job_id), state=JobState.DONE)


def live_through(store: Store, start: datetime) -> None:
    """Run a scheduler for ten days of its own clock; whenever it is killed, another one starts a minute later."""
    clock = SetClock(start)
    jobs = MortalJobs(open_engine(store, clock))
    scheduler = Scheduler(PLANNED, Ticks(store), jobs, clock)

    while clock.time < TEN_DAYS:
        try:
            due_at = scheduler.step()
        except _Killed:
            clock.advance(minutes=1)
            scheduler = Scheduler(PLANNED, Ticks(store), jobs, clock)
            continue
        assert due_at is not None
        clock.time = max(due_at, clock.time)


@pytest.mark.slow
def test_two_schedulers_for_ten_days_with_kills_start_each_tick_once(store: Store) -> None:
    Scheduler(PLANNED, Ticks(store), open_engine(store, SetClock()), SetClock(START)).step()
    threads = [
        threading.Thread(target=live_through, args=(store, START + timedelta(seconds=offset))) for offset in (0, 13)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    started = Counter(job.arguments["schedule"] for job in open_engine(store, SetClock()).list(limit=1000))
    expected = {each.name: sum(1 for tick in _ticks(each, START) if tick < TEN_DAYS) for each in PLANNED}
    assert expected == {"nightly": 10, "hourly": 60, "often": 34}
    assert started == expected


def _ticks(planned: PlannedJob, after: datetime) -> list[datetime]:
    starts = []
    for tick in planned.timetable.after(after):
        if tick.due_at >= TEN_DAYS:
            return starts
        starts.append(tick.starts_at)
    return starts
