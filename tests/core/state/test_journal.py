"""The history: every change with its old and new values and its outcome, whatever ended the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import ErrorCode, StateError, UsageError
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal, OpenBatch, open_batches, read_batches_backwards, read_changes, settle
from ringfence.core.state.own_writes import OwnWrites
from ringfence.core.state.run_history import close_dead_runs, find_run, list_runs, new_run_id
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.stores import all_that_is_kept

NUMBER = "+14155550132"
WRITTEN = RowResult(Outcome.WRITTEN)
REFUSED = RowResult(Outcome.REFUSED, "RULE", "no changes on Mondays")


@pytest.fixture
def org(store: Store) -> int:
    return register_org(store, Org("memory", "1", "One", production=False))


@pytest.fixture
def begin(store: Store, org: int, clock: SetClock) -> Any:
    """Begin a run, a second after the one before it."""

    def start(run_id: str, org_id: int = org, *, dry_run: bool = False) -> Journal:
        clock.advance(seconds=1)
        journal = Journal(store, run_id)
        journal.begin("memory", org_id, clock.now(), dry_run=dry_run, options={"limit": 3})
        return journal

    return start


def change(id_: str, new: str = NUMBER) -> Change:
    return Change.of("people", id_, (FieldChange("phone", "(415) 555-0132", new),))


def test_changes_are_known_before_they_are_written_and_their_outcomes_after(
    store: Store, begin: Any, clock: SetClock
) -> None:
    journal = begin("r1")
    sent = [change("p1"), change("p2"), change("p3")]

    seq = journal.plan_batch(sent, clock.now())

    assert [(row.change, row.result) for row in read_changes(store, "r1")] == [(one, None) for one in sent]

    journal.settle_batch(seq, [WRITTEN, REFUSED, RowResult(Outcome.CONFLICT, "GONE", "deleted")], clock.now())
    results = [(row.change.id, row.result) for row in read_changes(store, "r1")]

    assert results == [("p1", WRITTEN), ("p2", REFUSED), ("p3", RowResult(Outcome.CONFLICT, "GONE", "deleted"))]


def test_batches_are_read_in_the_order_of_writing_and_backwards(store: Store, begin: Any, clock: SetClock) -> None:
    journal = begin("r1")
    for i in range(12):
        journal.settle_batch(
            journal.plan_batch([change(f"p{i}"), change(f"q{i}")], clock.now()), [WRITTEN] * 2, clock.now()
        )
    begin("r2").plan_batch([change("other")], clock.now())

    forwards = [row.change.id for row in read_changes(store, "r1")]

    assert forwards == [f"{letter}{i}" for i in range(12) for letter in "pq"]

    backwards = [[row.change.id for row in batch] for batch in read_batches_backwards(store, "r1")]
    assert backwards == [[f"p{i}", f"q{i}"] for i in reversed(range(12))]


def test_only_batches_without_an_outcome_are_open_oldest_run_first(store: Store, begin: Any, clock: SetClock) -> None:
    elsewhere = register_org(store, Org("memory", "2", "Two", production=False))
    later_by_name, earlier_by_name = begin("r9"), begin("r1")
    begin("r5", elsewhere).plan_batch([change("theirs")], clock.now())
    first = later_by_name.plan_batch([change("p1")], clock.now())
    later_by_name.settle_batch(first, [WRITTEN], clock.now())
    later_by_name.plan_batch([change("p2")], clock.now())
    later_by_name.plan_batch([change("p3")], clock.now())
    earlier_by_name.plan_batch([change("p4")], clock.now())
    org_id = register_org(store, Org("memory", "1", "One", production=False))
    seen = []

    for batch in open_batches(store, org_id):
        seen += [(batch.run_id, batch.seq, one.id) for one in batch.changes]
        settle(store, batch, [WRITTEN] * len(batch.changes), clock.now())

    assert seen == [("r9", 2, "p2"), ("r9", 3, "p3"), ("r1", 1, "p4")]
    assert list(open_batches(store, org_id)) == []


def test_a_batch_that_is_held_back_says_so_until_it_is_sent(
    store: Store, org: int, begin: Any, clock: SetClock
) -> None:
    journal = begin("r1")
    seqs = [journal.plan_batch([change(f"p{i}")], clock.now(), held=True) for i in range(3)]
    journal.release(seqs[:1])
    journal.release(seqs[1:2], "job-7")
    found = {}

    for batch in open_batches(store, org):
        found[batch.seq] = (batch.held, batch.job)
        settle(store, batch, [WRITTEN], clock.now())

    assert found == {seqs[0]: (False, None), seqs[1]: (False, "job-7"), seqs[2]: (True, None)}
    assert [one.id for one in journal.planned([seqs[2], seqs[0]])] == ["p2", "p0"]


def test_a_run_tells_how_it_ended(store: Store, begin: Any, clock: SetClock) -> None:
    journal = begin("r1", dry_run=True)
    under_way = find_run(store, "r1")

    assert (under_way.outcome, under_way.ended_at, under_way.summary) == (RunOutcome.RUNNING, None, None)

    clock.advance(seconds=5)
    journal.end(clock.now(), RunOutcome.STOPPED, {"written": 3}, "no credit")

    run = find_run(store, "r1")

    assert (run.outcome, run.summary, run.error, run.options) == (
        RunOutcome.STOPPED,
        {"written": 3},
        "no credit",
        {"limit": 3},
    )
    assert run.dry_run
    assert run.ended_at == clock.now()
    assert run.ended_at - run.started_at == timedelta(seconds=5)


def test_runs_without_a_recorded_end_were_killed(store: Store, org: int, begin: Any, clock: SetClock) -> None:
    elsewhere = register_org(store, Org("memory", "2", "Two", production=False))
    begin("done").end(clock.now(), RunOutcome.DONE, {}, None)
    for run_id, org_id in (("dead", org), ("theirs", elsewhere), ("mine", org)):
        begin(run_id, org_id)
    close_dead_runs(store, org, "mine", clock.now())

    outcomes = {run.id: run.outcome for run in list_runs(store)}

    assert outcomes == {
        "done": RunOutcome.DONE,
        "dead": RunOutcome.KILLED,
        "theirs": RunOutcome.RUNNING,
        "mine": RunOutcome.RUNNING,
    }
    assert find_run(store, "dead").ended_at == clock.now()


def test_the_latest_runs_come_first(store: Store, begin: Any) -> None:
    for run_id in ("b", "c", "a"):
        begin(run_id)

    assert [run.id for run in list_runs(store)] == ["a", "c", "b"]
    assert [run.id for run in list_runs(store, 2)] == ["a", "c"]


@pytest.mark.parametrize(
    ("typed", "found"), [("20261102-090000-aa11", "aa11"), ("bb22", "bb22"), ("20261103", "cc33"), ("cc", None)]
)
def test_a_run_is_found_by_its_id_or_either_end_of_it(store: Store, begin: Any, typed: str, found: str | None) -> None:
    for run_id in ("20261102-090000-aa11", "20261102-090001-bb22", "20261103-090000-cc33"):
        begin(run_id)
    if found:
        assert find_run(store, typed).id.endswith(found)
    else:
        with pytest.raises(UsageError, match="No run has"):
            find_run(store, typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("2026", ErrorCode.RUN_AMBIGUOUS), ("%", ErrorCode.RUN_NOT_FOUND), ("_", ErrorCode.RUN_NOT_FOUND)],
)
def test_an_id_that_fits_none_or_several_is_refused(store: Store, begin: Any, typed: str, code: ErrorCode) -> None:
    begin("20261102-090000-aa11")
    begin("20261102-090001-bb22")

    with pytest.raises(UsageError) as caught:
        find_run(store, typed)
    assert caught.value.code is code


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    ids = [new_run_id(now + timedelta(seconds=i)) for i in range(100)]

    assert sorted(ids) == ids
    assert len({new_run_id(now) for _ in range(50)}) > 40


def test_no_number_of_a_change_or_a_refusal_is_kept_in_the_clear(
    store: Store, begin: Any, clock: SetClock, tmp_path: Path
) -> None:
    seq = begin("r1").plan_batch([change("p1")], clock.now())
    settle(store, OpenBatch("r1", seq, ()), [RowResult(Outcome.REFUSED, "RULE", f"{NUMBER} is taken")], clock.now())

    kept = all_that_is_kept(store, tmp_path)

    assert b"r1" in kept
    assert NUMBER[1:].encode() not in kept
    assert b"555-0132" not in kept


def test_ids_of_runs_that_begin_in_the_same_second_differ() -> None:
    now = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)

    ids = {new_run_id(now) for _ in range(1_000)}

    assert len(ids) == 1_000


def test_what_a_batch_holds_is_bound_to_its_run_and_place(store: Store, org: int, clock: SetClock) -> None:
    for run_id in ("run-a", "run-b"):
        journal = Journal(store, run_id)
        journal.begin("memory", org, clock.now(), dry_run=False, options={})
        for number in range(2):
            seq = journal.plan_batch([Change.of("people", f"{run_id}{number}", [])], clock.now())
            journal.settle_batch(seq, [REFUSED], clock.now())
    table = schema.batches
    with store.transaction() as connection:
        ((changes, results),) = connection.execute(
            sa.select(table.c.payload, table.c.results).where(table.c.run_id == "run-b", table.c.seq == 1)
        ).all()
    assert next(read_changes(store, "run-b")).change.id == "run-b0"

    for run_id, seq in (("run-a", 1), ("run-b", 2)):
        for column, sealed in (("payload", changes), ("results", results)):
            with store.transaction() as connection:
                moved = sa.update(table).where(table.c.run_id == run_id, table.c.seq == seq)
                connection.execute(moved.values({column: sealed}))
            with pytest.raises(StateError):
                list(read_changes(store, run_id))


def test_own_writes_are_told_newest_first_by_object_and_moment(
    store: Store, org: int, begin: Any, clock: SetClock
) -> None:
    pet = Change.of("pets", "p9", (FieldChange("phone", None, NUMBER),))
    moments = []
    for ids in (["p1", "p2"], ["p3"], ["p2"]):
        journal = begin(f"run-{ids[0]}-{len(moments)}")
        journal.plan_batch([change(each) for each in ids] + [pet], clock.now())
        moments.append(clock.now())
        journal.end(clock.now(), RunOutcome.DONE, {}, None)
    tell = OwnWrites(store, org)

    assert list(tell("people", moments[0])) == [(moments[2], ["p2"]), (moments[1], ["p3"]), (moments[0], ["p1", "p2"])]
    assert list(tell("people", moments[1])) == [(moments[2], ["p2"]), (moments[1], ["p3"])]
    assert list(tell("people", moments[0], moments[1])) == [(moments[1], ["p3"]), (moments[0], ["p1", "p2"])]
    assert [ids for _, ids in tell("pets", moments[2])] == [["p9"]]


def test_own_writes_of_other_orgs_and_of_dry_runs_are_not_told(
    store: Store, org: int, begin: Any, clock: SetClock
) -> None:
    other = register_org(store, Org("memory", "2", "Two", production=False))
    for run_id, org_id, dry_run in (("a", other, False), ("b", org, True), ("c", org, False)):
        begin(run_id, org_id, dry_run=dry_run).plan_batch([change(run_id)], clock.now())

    told = OwnWrites(store, org)("people", clock.now() - timedelta(days=1))

    assert [ids for _, ids in told] == [["c"]]


def test_a_damaged_history_is_told(store: Store, org: int, clock: SetClock) -> None:
    Journal(store, "run-a").begin("memory", org, clock.now(), dry_run=False, options={})
    with store.transaction() as connection:
        connection.execute(sa.update(schema.runs).values(options='{"full'))

    with pytest.raises(StateError, match="history cannot be read"):
        list_runs(store)
