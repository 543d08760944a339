"""Carrying jobs out: locks, pauses, cancelling, ending, progress, and who else is at work. On both engines."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.errors import AuthenticationError, BusyError, QuotaError, Terminated
from ringfence.core.ports.jobs import JobEngine, JobRequest, JobRun, JobState, Tally
from testkit.jobs import wait_until, working

JOB = JobRequest("task")


def fail(error: Exception) -> None:
    raise error


def test_jobs_of_one_lock_run_one_at_a_time(engine: JobEngine) -> None:
    running, most = 0, 0
    guard = threading.Lock()

    def task(run: JobRun) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.05)
        with guard:
            running -= 1

    engine.enqueue([JobRequest("task", lock="acme")] * 3)

    assert engine.work({"task": task}, ["default"], concurrency=4, until_empty=True) == Tally(done=3)
    assert most == 1


def test_a_job_that_waits_for_its_next_attempt_holds_up_none_of_its_lock(engine: JobEngine) -> None:
    def task(run: JobRun) -> None:
        if run.job.arguments:
            raise QuotaError("used up", "Wait.")

    failing, other = engine.enqueue([JobRequest("task", {"fails": True}, lock="acme"), JobRequest("task", lock="acme")])

    with working(engine, {"task": task}):
        wait_until(lambda: engine.find(str(other)).state is JobState.DONE)

    waiting = engine.find(str(failing))
    assert (waiting.state, waiting.attempts, waiting.lock) == (JobState.WAITING, 1, "acme")
    engine.cancel(waiting.id)
    engine.retry(waiting.id)
    assert engine.work({"task": lambda _run: None}, ["default"], until_empty=True) == Tally(done=1)


@pytest.mark.slow
def test_a_job_whose_moment_has_come_has_its_lock_again(engine: JobEngine) -> None:
    begins, order = datetime.now(UTC) + timedelta(seconds=2.5), []

    def task(run: JobRun) -> None:
        order.append(run.job.id)
        assert [job.id for job in engine.list(states=[JobState.RUNNING])] == [run.job.id]
        threading.Event().wait(3.5 if len(order) == 1 else 0)

    later, _now = engine.enqueue([JobRequest("task", lock="acme", run_at=begins), JobRequest("task", lock="acme")])

    tally = engine.work({"task": task}, ["default"], concurrency=2, until_empty=True)

    assert tally == Tally(done=2)
    assert order[1] == later


def test_others_run_beside_each_other(engine: JobEngine) -> None:
    together = threading.Barrier(3, timeout=15)
    engine.enqueue([JOB] * 3)

    tally = engine.work({"task": lambda _run: str(together.wait())}, ["default"], concurrency=3, until_empty=True)

    assert tally == Tally(done=3)


@pytest.mark.parametrize(("error", "state"), [(AuthenticationError("no"), JobState.FAILED), (None, JobState.DONE)])
def test_what_helps_against_an_error_decides(engine: JobEngine, error: Exception | None, state: JobState) -> None:
    (job_id,) = engine.enqueue([JOB])

    engine.work({"task": lambda _run: fail(error) if error else None}, ["default"], until_empty=True)

    assert engine.find(str(job_id)).state is state


@pytest.mark.parametrize(
    "error", [QuotaError("used up", "Wait."), BusyError("at it", "Wait."), ValueError("+14155550100")]
)
def test_what_passes_is_tried_again_after_a_pause(engine: JobEngine, error: Exception) -> None:
    (job_id,) = engine.enqueue([JOB])

    with working(engine, {"task": lambda _run: fail(error)}) as tallies:
        wait_until(lambda: engine.find(str(job_id)).attempts == 1 and engine.find(str(job_id)).run_at is not None)

    job = engine.find(str(job_id))
    assert tallies == [Tally(retried=1)]
    assert job.state is JobState.WAITING
    assert job.run_at is not None
    assert timedelta(seconds=10) < job.run_at - datetime.now(UTC) < timedelta(seconds=40)
    assert "4155550100" not in job.error
    assert type(error).__name__ in job.error or str(error) in job.error


def test_a_job_that_runs_ends_when_it_is_cancelled(engine: JobEngine) -> None:
    began = threading.Event()

    def task(run: JobRun) -> None:
        began.set()
        wait_until(run.must_end)
        raise Terminated

    (job_id,) = engine.enqueue([JOB])
    with working(engine, {"task": task}) as tallies:
        assert began.wait(15)
        assert engine.cancel(str(job_id)).state is JobState.RUNNING
        wait_until(lambda: engine.find(str(job_id)).state is JobState.CANCELLED)

    assert tallies == [Tally(cancelled=1)]


def test_a_worker_that_ends_hands_back_what_it_cannot_end(engine: JobEngine) -> None:
    began = threading.Event()

    def task(run: JobRun) -> None:
        run.report({"rows": 7})
        began.set()
        wait_until(run.must_end)
        raise Terminated

    (job_id,) = engine.enqueue([JOB])
    with working(engine, {"task": task}) as tallies:
        assert began.wait(15)
        assert engine.find(str(job_id)).progress == {"rows": 7}
        assert engine.find(str(job_id)).attempts == 1

    job = engine.find(str(job_id))
    assert tallies == [Tally(handed_back=1)]
    assert (job.state, job.attempts, job.progress) == (JobState.WAITING, 0, {"rows": 7})
    assert engine.work({"task": lambda _run: None}, ["default"], until_empty=True) == Tally(done=1)
    assert engine.find(str(job_id)).attempts == 1


def test_a_worker_that_ends_waits_for_what_ends_by_itself(engine: JobEngine) -> None:
    began = threading.Event()

    def task(run: JobRun) -> None:
        began.set()
        wait_until(run.must_end)

    (job_id,) = engine.enqueue([JOB])
    with working(engine, {"task": task}) as tallies:
        assert began.wait(15)

    assert tallies == [Tally(done=1)]
    assert engine.find(str(job_id)).state is JobState.DONE


def test_this_process_is_no_other_worker(engine: JobEngine) -> None:
    with working(engine, {}, "acme"):
        assert engine.live_workers("acme") == 0


def test_a_job_of_later_waits_for_its_moment(engine: JobEngine) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.7)
    engine.enqueue([JobRequest("task", run_at=soon)])

    assert engine.work({"task": lambda _run: None}, ["default"], until_empty=True) == Tally(done=1)
    assert datetime.now(UTC) >= soon


def test_a_job_that_would_wait_again_is_over_where_another_waits_for_the_same(engine: JobEngine) -> None:
    request = JobRequest("task", queueing_lock="nightly")

    def task(run: JobRun) -> None:
        if run.job.id == first:
            engine.enqueue([request])
            fail(BusyError("at it"))

    (first,) = engine.enqueue([request])
    engine.work({"task": task}, ["default"], until_empty=True)

    assert [job.state for job in engine.list()] == [JobState.DONE, JobState.CANCELLED]


def test_what_was_done_long_ago_is_forgotten(engine: JobEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("core.state.jobs", "connectors.procrastinate"):
        monkeypatch.setattr(f"ringfence.{module}.engine.KEPT_DAYS", 0)
    engine.enqueue([JOB])
    engine.work({"task": lambda _run: None}, ["default"], until_empty=True)
    (waiting,) = engine.enqueue([JobRequest("task", queue="other")])

    with working(engine, {}):
        wait_until(lambda: len(engine.list()) == 1)

    assert [job.id for job in engine.list()] == [waiting]
