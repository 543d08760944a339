"""Changes held back for bulk jobs: when they are, what becomes of each row, and what a killed run leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ringfence.connectors.memory import MemoryBulk, MemoryCrm, MemoryLoad, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.decisions.due import find_due
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.ports.crm import Capabilities
from ringfence.core.runs.batches import BatchProcessor
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.cursors import Cursors
from ringfence.core.state.journal import Journal, read_changes
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store, open_store
from ringfence.core.writing.outbox import Outbox
from ringfence.core.writing.writer import ChangeWriter
from testkit.clock import SetClock
from testkit.memory_runs import Sync

MAPPING = "crm: memory\nobjects: {people: {phones: {phone: {}}, region: {default: US}}}\n"
PEOPLE = 20
GOOD = "+1 415 555 0132"


class Killed(BaseException):
    """Ends a run the way SIGKILL does: nothing of ours tidies up behind it."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture(params=[False, True], ids=["inline", "threads"])
def crm(request: pytest.FixtureRequest, clock: SetClock) -> MemoryCrm:
    crm = MemoryCrm(resolve(parse_mapping(MAPPING, "test"), companion_name), clock)
    crm.capabilities = Capabilities(write_batch=4, threads=request.param)
    crm.bulk = MemoryBulk(crm)
    for n in range(PEOPLE):
        crm.put("people", f"p{n:02}", phone=f"+1 415 555 01{n:02}")
    return crm


@pytest.fixture
def sync(crm: MemoryCrm, store: Store, clock: SetClock) -> Any:
    def run(**options: Any) -> Summary:
        clock.advance(seconds=10)
        return run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions(**options))

    return run


def outcomes(store: Store, run_id: str) -> list[Outcome]:
    return [row.result.outcome for row in read_changes(store, run_id) if row.result]


def test_a_large_read_is_written_by_jobs_and_a_small_one_is_not(crm: MemoryCrm, sync: Sync, store: Store) -> None:
    first = sync()
    assert first.complete
    assert first.total("written") == PEOPLE
    # At most 12 rows travel in a job, in batches of four; the eight that are left are worth one as well.
    assert first.api_calls_by_purpose["write"] == 2
    assert [len(rows or {}) for rows in crm.bulk.jobs.values()] == [12, 8]
    assert outcomes(store, first.run_id) == [Outcome.WRITTEN] * PEOPLE
    assert sync().total("written") == 0

    for n in range(3):
        crm.put("people", f"p{n:02}", phone="n/a")

    assert sync().total("written") == 3
    assert len(crm.bulk.jobs) == 2


def test_too_few_changes_of_a_large_read_go_without_a_job(crm: MemoryCrm, sync: Sync) -> None:
    sync()
    jobs, calls = len(crm.bulk.jobs), crm.calls["write"]
    for n in range(5):
        crm.put("people", f"p{n:02}", phone="n/a")
    full = sync(full=True)
    assert full.total("written") == 5
    assert (len(crm.bulk.jobs), crm.calls["write"] - calls) == (jobs, 2)


def test_every_row_of_a_job_has_its_own_outcome(crm: MemoryCrm, sync: Sync, store: Store) -> None:
    crm.refuse = lambda change: ("RULE", "no") if change.id in ("p03", "p17") else None
    first = sync()
    assert (first.total("written"), first.total("failed")) == (PEOPLE - 2, 2)
    assert {row.id for row in first.refused} == {"p03", "p17"}
    assert first.waiting == {"failed": 2}
    crm.refuse = lambda _change: None
    assert sync().total("written") == 2


class Watched(NamedTuple):
    """How many rows of a run waited at most to be accounted for, how often its cursors moved, and its jobs' sizes."""

    waited: int
    moves: int
    jobs: list[int]


@pytest.fixture
def watch(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Any:
    waited, moves = [0], [0]
    process, move = BatchProcessor.process, Cursors.move

    def processed(processor: BatchProcessor, batch: Any) -> int:
        done = process(processor, batch)
        waited.append(sum(len(rows) for in_flight in processor._in_flight for _, rows in in_flight.parts))
        return done

    def moved(*args: Any) -> None:
        moves[0] += 1
        move(*args)

    monkeypatch.setattr(BatchProcessor, "process", processed)
    monkeypatch.setattr(Cursors, "move", moved)

    def run(phone: str, **contents: list[str]) -> Watched:
        objects = ", ".join(f"{name}: {{phones: {{phone: {phone}}}, region: {{default: US}}}}" for name in contents)
        shapes = resolve(parse_mapping(f"crm: memory\nobjects: {{{objects}}}\n", "test"), companion_name)
        crm = MemoryCrm(shapes, clock, org_id=f"mem-{clock.now()}")
        crm.bulk = MemoryBulk(crm)
        for name, phones in contents.items():
            for n, content in enumerate(phones):
                crm.put(name, f"{n:04}", phone=content)

        waited[:], moves[:] = [0], [0]
        clock.advance(seconds=10)
        done = run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions())

        assert done.total("written") == sum(map(len, contents.values()))

        return Watched(max(waited), moves[0], [len(rows or {}) for rows in crm.bulk.jobs.values()])

    return run


MOST = MemoryBulk.most


@pytest.mark.parametrize("times", [1, 4])
def test_a_held_change_lets_no_more_rows_wait_than_a_job_takes(watch: Any, times: int) -> None:
    # Where most phone fields are rewritten, one by one, a change that is held back is rare.
    odd = watch("{normalize: true}", people=(["n/a"] + ["(415) 555-0132"] * 19) * 5 * times)
    assert odd.waited <= MOST + 4
    assert odd.moves >= 6 * times

    # The rest of the first object does not wait until the last one has been read.
    rest = watch("{}", firms=[GOOD] * (MOST + 8), people=[GOOD] * 8 * MOST * times)
    assert rest.waited <= 2 * MOST
    assert rest.moves >= 6 * times
    assert sorted(rest.jobs) == [8] + [MOST] * (1 + 8 * times)


def test_a_record_that_changes_again_is_in_a_job_of_its_own(crm: MemoryCrm, store: Store, clock: SetClock) -> None:
    journal = Journal(store, "run")
    journal.begin("memory", None, clock.now(), dry_run=False, options={})
    outbox = Outbox(crm, ChangeWriter(crm, crm.shapes, journal, clock), journal, clock, lambda: None)
    outbox.hold(["people"])
    sent = []
    for status, ids in (("valid", range(6)), ("invalid", range(5, 11))):
        says = [FieldChange("rf_phone_status", None, status)]
        sent += outbox.post([Change.of("people", f"p{n:02}", says) for n in ids])

    outbox.flush()

    assert [outbox.take(each) for each in sent] == [[RowResult(Outcome.WRITTEN)] * 6] * 2
    assert [list(rows or {}) for rows in crm.bulk.jobs.values()] == [
        [f"p{n:02}" for n in range(6)],
        [f"p{n:02}" for n in range(5, 11)],
    ]
    assert crm.rows["people"]["p05"]["rf_phone_status"] == "invalid"

    outbox.close(())


def test_a_row_that_a_job_says_nothing_about_is_refused_and_comes_again(
    crm: MemoryCrm, sync: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = MemoryLoad.write
    with monkeypatch.context() as patched:
        patched.setattr(MemoryLoad, "write", lambda load, watch: (row for row in write(load, watch) if row[0] != "p03"))
        first = sync()

    assert (first.total("written"), first.total("failed")) == (PEOPLE - 1, 1)
    assert [(row.id, row.code) for row in first.refused] == [("p03", "NO_RESULT")]
    assert first.waiting == {"failed": 1}
    assert outcomes(store, first.run_id).count(Outcome.REFUSED) == 1
    assert sync().waiting == {}


class Dying:
    """Dies once a job is opened, or once its rows are written."""

    def __init__(self, at: str, watch: Any) -> None:
        self.at, self.watch = at, watch

    def opened(self, reference: str) -> None:
        self.watch.opened(reference)
        if self.at == "opened":
            raise Killed

    def waiting(self) -> None:
        raise Killed


def die(patched: pytest.MonkeyPatch, at: str) -> None:
    write = MemoryLoad.write
    patched.setattr(MemoryLoad, "write", lambda load, watch: write(load, Dying(at, watch)))


def kill(crm: MemoryCrm, sync: Sync, no_clean_up: pytest.MonkeyPatch, at: str) -> None:
    crm.capabilities = Capabilities(write_batch=4)  # in threads the next job would be under way as well
    die(no_clean_up, at)
    with pytest.raises(Killed):
        sync()
    no_clean_up.undo()


@pytest.fixture
def no_clean_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Keep a run from tidying up: a killed process does not."""
    with monkeypatch.context() as patched:
        patched.setattr("ringfence.core.runs.batches.BatchProcessor.close", lambda _self, **_options: 0)
        patched.setattr("ringfence.core.state.journal.Journal.end", lambda *_: None)
        yield patched


@pytest.mark.parametrize(("at", "written", "unnamed"), [("opened", 0, 12), ("written", 12, 0)])
def test_a_job_that_a_killed_run_left_is_asked_for_its_results(
    crm: MemoryCrm, sync: Sync, store: Store, no_clean_up: pytest.MonkeyPatch, at: str, written: int, unnamed: int
) -> None:
    kill(crm, sync, no_clean_up, at)
    killed = list_runs(store)[0]

    assert sum("rf_phone_status" in row for row in crm.rows["people"].values()) == written

    reads = crm.calls["read"]
    last = sync()

    assert last.complete
    assert last.reconciled == 12
    # Only rows that the job does not name were read beside the new run's own feed, here two calls for each batch.
    assert crm.calls["read"] - reads == -(-PEOPLE // crm.page_size) + unnamed // 4 * 2
    assert last.total("written") == PEOPLE - written
    assert next(run for run in list_runs(store) if run.id == killed.id).outcome is RunOutcome.KILLED

    found = outcomes(store, killed.id)
    assert found.count(Outcome.WRITTEN) == written
    assert found.count(Outcome.LOST) == len(found) - written


def test_a_job_that_is_gone_is_made_up_for_by_reading(
    crm: MemoryCrm, sync: Sync, no_clean_up: pytest.MonkeyPatch
) -> None:
    kill(crm, sync, no_clean_up, "written")
    crm.bulk.jobs.clear()
    reads = crm.calls["read"]
    last = sync()

    assert last.complete
    assert last.reconciled == 12
    assert crm.calls["read"] - reads > -(-PEOPLE // crm.page_size)
    assert last.total("written") == PEOPLE - 12


def test_rows_that_a_job_does_not_name_are_read(
    crm: MemoryCrm, sync: Sync, store: Store, no_clean_up: pytest.MonkeyPatch
) -> None:
    kill(crm, sync, no_clean_up, "written")
    killed = list_runs(store)[0].id
    # Two were sent in another way after the job: one of them landed.
    (named,) = crm.bulk.jobs.values()
    landed, lost = list(named or {})[:2]
    del named[landed], named[lost]
    for field in [field for field in crm.rows["people"][lost] if field.startswith("rf_")]:
        crm.rows["people"][lost][field] = None
    last = sync()

    assert last.total("written") == PEOPLE - 11
    assert outcomes(store, killed).count(Outcome.WRITTEN) == 11
    assert outcomes(store, killed).count(Outcome.LOST) == len(outcomes(store, killed)) - 11


def test_rows_of_a_job_that_names_none_are_read_too(
    crm: MemoryCrm, sync: Sync, store: Store, no_clean_up: pytest.MonkeyPatch
) -> None:
    kill(crm, sync, no_clean_up, "written")
    killed = list_runs(store)[0].id
    (named,) = crm.bulk.jobs.values()
    assert named
    named.clear()  # the job failed before its first row: every one of them was sent in another way
    assert sync().reconciled == 12
    assert outcomes(store, killed).count(Outcome.WRITTEN) == 12


def test_a_run_that_ends_early_says_of_held_rows_that_they_were_not_sent(
    crm: MemoryCrm, sync: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(change: Change) -> None:
        raise AssertionError(change)

    crm.refuse = send
    calls = []

    def due(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return find_due(*args, **options)

    monkeypatch.setattr("ringfence.core.runs.examiner.find_due", due)
    with pytest.raises(KeyboardInterrupt):
        sync()
    run = list_runs(store)[0]
    assert run.outcome is RunOutcome.INTERRUPTED
    found = outcomes(store, run.id)
    assert found
    assert set(found) == {Outcome.LOST}
