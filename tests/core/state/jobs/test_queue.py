"""Jobs on record: in their order, once where they must be, found, listed, cancelled, tried again. On both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import JobEngine, JobRequest, JobRun, JobState, Tally
from ringfence.core.state.store import Store


def put(engine: JobEngine, *requests: JobRequest) -> list[str]:
    """Put jobs on record and return the ids; each must have been taken."""
    ids = engine.enqueue(requests)
    assert None not in ids
    return [job_id for job_id in ids if job_id is not None]


def kinds_done(engine: JobEngine, *queues: str) -> list[str]:
    """Return the names of the jobs of these queues in the order in which a worker does them."""
    done: list[str] = []

    def note(run: JobRun) -> None:
        done.append(run.job.arguments["name"])

    engine.work({"note": note}, queues or ("default",), until_empty=True)
    return done


def named(name: str, **more: object) -> JobRequest:
    """Return a request for a job that notes its name."""
    return JobRequest("note", {"name": name}, **more)  # type: ignore[arg-type] # the fields of a request


def test_a_job_keeps_what_it_was_queued_with(engine: JobEngine) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)

    (job_id,) = put(engine, JobRequest("command", {"argv": ["sync", "--all"]}, "acme", lock="one", run_at=later))

    job = engine.find(job_id)
    assert (job.kind, job.arguments, job.queue, job.lock) == ("command", {"argv": ["sync", "--all"]}, "acme", "one")
    assert (job.state, job.attempts, job.run_at, job.error) == (JobState.WAITING, 0, later, "")
    assert job.started_at is None
    assert job.ended_at is None
    assert abs(job.queued_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_lower_priority_comes_first_and_then_the_older_one(engine: JobEngine) -> None:
    put(engine, named("second"), named("third"), named("first", priority=10))

    assert kinds_done(engine) == ["first", "second", "third"]


def test_only_jobs_of_the_queues_are_taken(engine: JobEngine) -> None:
    long = "an account with a name of more than forty bytes, äöü"
    put(engine, named("a", queue="acme"), named("b", queue="other"), named("c", queue=long))

    assert kinds_done(engine, "acme", "nobody", long) == ["a", "c"]
    assert [job.queue for job in engine.list(states=[JobState.WAITING])] == ["other"]
    assert engine.list(limit=1)[0].queue == long


def test_one_job_waits_for_a_queueing_lock(engine: JobEngine) -> None:
    first, second, third = engine.enqueue(
        [named("a", queueing_lock="nightly"), named("b", queueing_lock="nightly"), named("c", queueing_lock="other")]
    )

    assert first is not None
    assert second is None
    assert third is not None
    assert kinds_done(engine) == ["a", "c"]
    assert engine.enqueue([named("d", queueing_lock="nightly")]) != [None]


def test_jobs_stand_on_record_with_what_is_done_beside_them(engine: JobEngine, store: Store) -> None:
    with store.transaction() as connection:
        engine.enqueue([named("a")], within=connection)
        connection.rollback()
    assert engine.list() == []

    with store.transaction() as connection:
        engine.enqueue([named("b")], within=connection)
    assert [job.arguments["name"] for job in engine.list()] == ["b"]


def test_jobs_are_listed_newest_first_and_by_state(engine: JobEngine) -> None:
    done, waiting = put(engine, named("a"), named("b", queue="other"))
    kinds_done(engine)

    assert [job.id for job in engine.list()] == [waiting, done]
    assert [job.id for job in engine.list(states=[JobState.DONE, JobState.FAILED])] == [done]
    assert [job.id for job in engine.list(limit=1)] == [waiting]
    assert engine.find(done).attempts == 1
    assert engine.find(done).ended_at is not None


@pytest.mark.parametrize("job_id", ["99", "no", "9" * 40, ""])
def test_an_id_that_is_none(engine: JobEngine, job_id: str) -> None:
    for act in (engine.find, engine.cancel, engine.retry):
        with pytest.raises(UsageError, match="There is no job"):
            act(job_id)


def test_a_job_that_waits_is_cancelled_and_let_wait_again(engine: JobEngine) -> None:
    (job_id,) = put(engine, named("a"))

    assert engine.cancel(job_id).state is JobState.CANCELLED
    assert kinds_done(engine) == []

    assert engine.retry(job_id).state is JobState.WAITING
    assert kinds_done(engine) == ["a"]
    with pytest.raises(UsageError, match="is done"):
        engine.retry(job_id)


def test_a_job_of_a_kind_that_nobody_knows_fails_and_begins_anew_when_asked(engine: JobEngine) -> None:
    (job_id,) = put(engine, JobRequest("polish"))

    assert engine.work({}, ["default"], until_empty=True) == Tally(failed=1)

    failed = engine.find(job_id)
    assert (failed.state, failed.attempts) == (JobState.FAILED, 1)
    assert "knows no jobs of the kind 'polish'" in failed.error
    again = engine.retry(job_id)
    assert (again.state, again.attempts, again.error) == (JobState.WAITING, 0, "")
    assert engine.work({"polish": lambda _run: "with a remark"}, ["default"], until_empty=True) == Tally(done=1)
    assert (engine.find(job_id).attempts, engine.find(job_id).error) == (1, "with a remark")
