"""A store that schema 0003 wrote: nothing is lost on the way to this schema, and a sync goes on where it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Outcome
from ringfence.core.runs.sync import SyncJob, SyncOptions, run_sync
from ringfence.core.runs.undo import undo_run
from ringfence.core.state import schema
from ringfence.core.state.cursors import Cursors, register_org
from ringfence.core.state.journal import open_batches, read_changes
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.pending import Pending, PendingReason
from ringfence.core.state.run_history import find_run, list_runs
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.kept_stores import KEY, number, restore_crm
from testkit.memory_runs import MakeProvider

WRITTEN = Path(__file__).parent / "schema_0003"
REALM = "first:host:account"
MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
  firms:
    phones: {phone: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
"""
FINISHED, REHEARSED, KILLED = "20261102-100000-57ab", "20261102-110000-9f06", "20261102-121000-831e"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A copy of the store as that version left it."""
    return Path(shutil.copy(WRITTEN / "store.sqlite", tmp_path / "state.db"))


@pytest.fixture
def old(file: Path) -> Iterator[Store]:
    """The store, opened by this version."""
    opened = open_store(f"sqlite:///{file}", KEY)
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    """The CRM as it was when the process died, an hour later."""
    return restore_crm(WRITTEN, MAPPING, clock)


@pytest.fixture
def make_job(crm: MemoryCrm, old: Store, clock: SetClock) -> Callable[..., SyncJob]:
    """Give the job of a run that goes on with the store."""
    return lambda *lookups: SyncJob(crm, crm.identify(), crm.shapes, old, Policy(), clock, lookups=lookups)


@pytest.fixture
def provider(make_provider: MakeProvider) -> Any:
    """The account that the old runs asked, which confirms every number now."""
    made = make_provider()
    assert made.realm == REALM
    return made


def test_the_store_is_brought_up_to_this_schema_row_by_row(file: Path) -> None:
    before = _count(file)

    open_store(f"sqlite:///{file}", KEY).close()

    after = _count(file)
    assert after.pop("alembic_version") == before.pop("alembic_version") == 1
    assert after["opt_out_flags"] + after["merged_records"] == before.pop("flags") == 7
    answers, failures, questions = (after.pop(f"lookup_{kind}") for kind in ("answers", "failures", "questions"))
    assert (answers, failures, questions, before.pop("facts")) == (18, 1, 1, 20)
    assert (after.pop("opt_out_flags"), after.pop("merged_records")) == (5, 2)
    assert after == before


def _count(file: Path) -> Counter[str]:
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return Counter({name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names})


def test_opt_outs_and_merged_records_are_found_where_they_belong(old: Store) -> None:
    with old.transaction() as connection:
        flags = connection.execute(
            sa.select(
                schema.opt_out_flags.c.record_id,
                schema.opt_out_flags.c.propagated,
                schema.opt_out_flags.c.first_seen_run_id,
            ).order_by(schema.opt_out_flags.c.record_id)
        ).all()
        merged = connection.execute(sa.select(schema.merged_records).order_by(schema.merged_records.c.record_id)).all()

    assert flags == [
        ("p34", True, None),
        ("p38", True, None),
        ("p40", True, None),
        ("p60", False, KILLED),
        ("p62", False, KILLED),
    ]
    assert merged == [
        (1, "people", "p39", True, None, KILLED),
        (1, "people", "p62", False, KILLED, KILLED),
    ]


def test_the_ledger_goes_on_from_the_old_flags(old: Store, clock: SetClock) -> None:
    ledger = OptOutLedger(old, 1, "next", clock)

    assert ledger.covered([number(last) for last in range(30, 73)]) == {number(last) for last in (34, 39, 60, 62)}
    assert ledger.unflagged_holders(all_runs=False) == {("people", "p61"): 1, ("people", "p63"): 1}
    assert ledger.handed_over([("people", "p39"), ("people", "p62")]) == {("people", "p39")}
    assert ledger.count_holders([number(34), number(60)]) == {number(34): 2, number(60): 2}


def test_answers_failures_and_lost_questions_are_found_where_they_belong(old: Store) -> None:
    now = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
    asked = [number(last) for last in (30, 31, 32, 33, 37)]

    def find(run_id: str) -> dict[str, list[tuple[str, AnswerKind, str | None]]]:
        found = LookupCache(old, run_id).find(asked, [REALM, "crm:memory:mem-1"], now - timedelta(days=30), now)
        return {
            number: [(each.realm, each.answer.kind, each.answer.line) for each in some]
            for number, some in found.items()
        }

    known = {
        number(30): [(REALM, AnswerKind.KNOWN, "active")],
        number(31): [(REALM, AnswerKind.INCONCLUSIVE, None)],
        number(33): [(REALM, AnswerKind.LOST, None)],
        number(37): [("crm:memory:mem-1", AnswerKind.KNOWN, "active")],
    }
    assert find("next") == known
    assert find(FINISHED) == known | {number(32): [(REALM, AnswerKind.FAILED, None)]}


def test_cursors_waiting_records_and_runs_are_found_where_they_belong(old: Store, crm: MemoryCrm) -> None:
    read_up_to = json.dumps({"since": "2026-11-02T10:00:00+00:00"})
    assert Cursors(old, 1, crm.shapes).read() == {"people": read_up_to, "firms": read_up_to}

    waiting = Pending(old, 1, "next").next(("", ""), 10)
    assert {row.record_id: row.reason for row in waiting} == {
        "p32": PendingReason.DEFERRED,
        "p35": PendingReason.FAILED,
        "p36": PendingReason.CONFLICT,
        "p61": PendingReason.PERMISSION,
        "p63": PendingReason.PERMISSION,
    }
    assert {row.record_id: (row.code, row.message) for row in waiting}["p35"] == ("RULE", "a rule of the CRM")

    assert [(run.id, run.outcome, run.dry_run) for run in list_runs(old)] == [
        (KILLED, RunOutcome.RUNNING, False),
        (REHEARSED, RunOutcome.DONE, True),
        (FINISHED, RunOutcome.REFUSED_ROWS, False),
    ]
    assert len([row for row in read_changes(old, FINISHED) if row.result]) == 10
    batch = next(open_batches(old, register_org(old, crm.identify())))
    assert (batch.run_id, batch.seq, batch.held) == (KILLED, 1, True)


def test_a_sync_goes_on_where_the_killed_one_was(
    make_job: Callable[..., SyncJob], crm: MemoryCrm, old: Store, provider: Any
) -> None:
    summary = run_sync(make_job(provider), SyncOptions())

    assert (summary.complete, summary.full, summary.reconciled) == (True, False, 2)
    assert find_run(old, KILLED).outcome is RunOutcome.KILLED
    sent = {row.change.id: row.result.outcome for row in read_changes(old, KILLED) if row.result}
    assert sent.pop("f02") is Outcome.WRITTEN
    assert set(sent.values()) == {Outcome.LOST}
    # What was answered before the process died is not bought again, and what was lost is not asked again.
    assert provider.asked == [number(32)]
    people, firms = crm.rows["people"], crm.rows["firms"]
    assert {people[f"p{last}"]["rf_phone_status"] for last in (30, 32, 35, 36, *range(50, 58))} == {"active"}
    assert {firms[id_]["rf_phone_status"] for id_ in ("f01", "f02", "f03")} == {"active"}
    assert people["p61"]["optout"] is people["p63"]["optout"] is True
    # p62, which had opted out, was merged into p64: the opt-out is that one's now.
    assert (people["p64"]["optout"], people["p64"]["rf_phone_status"]) == (True, "do_not_contact")
    assert summary.waiting == {}


def test_only_what_changed_since_the_old_cursor_is_read(crm: MemoryCrm, old: Store) -> None:
    feed = crm.open_feed(Cursors(old, 1, crm.shapes).read())

    read = {record.id for page in feed.changed() for record in page.records}

    # The finished run wrote nothing to these; all others it wrote to itself, or they came after it.
    untouched = {"p32", "p35", "p36", "p37"}
    assert read == {*crm.rows["people"], *crm.rows["firms"]} - untouched


def test_a_second_sync_finds_nothing_left_to_do(make_job: Callable[..., SyncJob], provider: Any) -> None:
    run_sync(make_job(provider), SyncOptions())

    again = run_sync(make_job(provider), SyncOptions())

    assert (again.reconciled, again.total("due"), again.total("written")) == (0, 0, 0)
    assert provider.asked == [number(32)]


def test_the_old_run_is_taken_back_but_for_opt_outs(
    make_job: Callable[..., SyncJob], crm: MemoryCrm, old: Store, provider: Any
) -> None:
    run_sync(make_job(provider), SyncOptions())

    undone = undo_run(make_job(provider), find_run(old, FINISHED), dry_run=False)

    assert undone.complete
    people = crm.rows["people"]
    for id_ in ("p30", "p31", "p33", "p41"):
        assert people[id_]["rf_phone_status"] is people[id_]["rf_phone_last_screened"] is None
    assert crm.rows["firms"]["f01"]["rf_phone_status"] is None
    assert people["p40"]["optout"] is True
    assert people["p40"]["rf_phone_status"] == "do_not_contact"
    assert people["p50"]["rf_phone_status"] == "active"


DIE_AFTER = """
import os, sys
import sqlalchemy as sa
from ringfence.core.state.store import open_store

def die(connection, cursor, statement, *_):
    if statement.strip().startswith(sys.argv[3]):
        os._exit(9)

sa.event.listen(sa.engine.Engine, "after_cursor_execute", die)
open_store(f"sqlite:///{sys.argv[1]}", sys.argv[2]).close()
"""
STEPS = (
    "CREATE TABLE lookup_answers",
    "INSERT INTO lookup_questions",
    "DROP TABLE facts",
    "INSERT INTO opt_out_flags",
    "UPDATE cursors",
    "UPDATE alembic_version",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_migration_whose_process_dies_is_repeated_as_a_whole(file: Path, step: str) -> None:
    before = _count(file)

    died = subprocess.run([sys.executable, "-c", DIE_AFTER, str(file), KEY, step], check=False)

    assert died.returncode == 9
    assert _count(file) == before
    open_store(f"sqlite:///{file}", KEY).close()
    after = _count(file)
    assert (after["lookup_answers"], after["opt_out_flags"], after["merged_records"]) == (18, 5, 2)
