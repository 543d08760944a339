"""Ticks on record: each is taken once, together with its job or not at all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from ringfence.core.ports.jobs import JobEngine, JobRequest
from ringfence.core.state.store import Store
from ringfence.core.state.ticks import TakenTick, TickJob, TickOutcome, Ticks
from testkit.clock import SetClock
from testkit.jobs import open_engine

DUE = datetime(2026, 11, 2, 9, tzinfo=UTC)
REQUEST = JobRequest("command", {"argv": ["check"]}, queueing_lock="schedule:nightly")


def tick(due_at: datetime = DUE, name: str = "nightly", ends_at: datetime | None = None) -> TakenTick:
    return TakenTick(name, due_at, "rule", ends_at)


@pytest.fixture
def jobs(store: Store, clock: SetClock) -> JobEngine:
    return open_engine(store, clock)


def test_a_tick_is_started_once(store: Store, jobs: JobEngine) -> None:
    ticks = Ticks(store)

    outcomes = [ticks.start(tick(), REQUEST, jobs) for _ in range(3)]

    assert outcomes == [TickOutcome.STARTED, None, None]
    assert [job.id for job in jobs.list()] == [ticks.latest_job("nightly")]


def test_of_many_schedulers_one_starts_it(store: Store, jobs: JobEngine) -> None:
    outcomes: list[TickOutcome | None] = []
    barrier = threading.Barrier(6)

    def start() -> None:
        barrier.wait()
        outcomes.append(Ticks(store).start(tick(), REQUEST, jobs))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) == ["None"] * 5 + ["started"]
    assert len(jobs.list()) == 1


def test_killed_between_tick_and_job_neither_is_on_record(
    store: Store, jobs: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_record = jobs.enqueue

    def be_killed(requests: Sequence[JobRequest], within: Connection | None = None) -> list[str | None]:
        put_on_record(requests, within)
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "enqueue", be_killed)
    with pytest.raises(KeyboardInterrupt):
        Ticks(store).start(tick(), REQUEST, jobs)
    monkeypatch.undo()

    assert (jobs.list(), Ticks(store).latest()) == ([], {})
    assert Ticks(store).start(tick(), REQUEST, jobs) is TickOutcome.STARTED
    assert len(jobs.list()) == 1


def test_a_tick_behind_a_later_one_is_not_started(store: Store, jobs: JobEngine) -> None:
    ticks = Ticks(store)
    ticks.start(tick(DUE + timedelta(hours=1)), REQUEST, jobs)

    assert ticks.start(tick(), REQUEST, jobs) is None
    assert len(jobs.list()) == 1


def test_one_job_of_a_name_waits_at_a_time(store: Store, jobs: JobEngine) -> None:
    ticks = Ticks(store)

    outcomes = [ticks.start(tick(DUE + timedelta(hours=hour)), REQUEST, jobs) for hour in range(2)]

    assert outcomes == [TickOutcome.STARTED, TickOutcome.OVERLAPPED]
    assert len(jobs.list()) == 1


def test_a_tick_that_is_left_out_stays_so(store: Store, jobs: JobEngine) -> None:
    ticks = Ticks(store)

    assert ticks.leave_out(tick(), TickOutcome.MISSED)
    assert not ticks.leave_out(tick(), TickOutcome.MISSED)
    assert ticks.start(tick(), REQUEST, jobs) is None
    assert ticks.latest()["nightly"].due_at == DUE


def test_a_job_is_asked_to_end_once_its_window_has_closed(store: Store, jobs: JobEngine) -> None:
    ticks, end = Ticks(store), DUE + timedelta(hours=4)
    ticks.start(tick(ends_at=end), REQUEST, jobs)
    job_id = ticks.latest_job("nightly")
    assert job_id is not None

    before, after = ticks.over_time(end - timedelta(seconds=1)), ticks.over_time(end)
    ticks.asked_to_end(after[0])

    assert (before, after) == ([], [TickJob("nightly", DUE, job_id)])
    assert ticks.over_time(end) == []


def test_old_ticks_are_forgotten_but_for_the_latest_of_each_name(store: Store) -> None:
    ticks = Ticks(store)
    for day in range(5):
        ticks.leave_out(tick(DUE + timedelta(days=day)), TickOutcome.MISSED)
    ticks.leave_out(tick(name="yearly"), TickOutcome.MISSED)

    gone = ticks.forget(DUE + timedelta(days=3))

    assert gone == 3
    assert {name: latest.due_at for name, latest in ticks.latest().items()} == {
        "nightly": DUE + timedelta(days=4),
        "yearly": DUE,
    }
