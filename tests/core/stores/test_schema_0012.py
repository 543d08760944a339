"""A store that schema 0012 wrote: its accounts knew of no suppression ledger, its flags of no channel."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.blocks import BlockSource, Channel
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncJob, SyncOptions, run_sync
from ringfence.core.runs.undo import undo_run
from ringfence.core.state import schema
from ringfence.core.state.journal import open_batches, read_changes
from ringfence.core.state.run_history import find_run, list_runs
from ringfence.core.state.store import Store, open_store
from ringfence.core.suppression.question import ask_ledger
from testkit.clock import SetClock
from testkit.kept_stores import KEY, number, restore_crm
from testkit.memory_runs import MakeProvider
from testkit.postgres import ENGINES, PostgresServer

WRITTEN = Path(__file__).parent / "schema_0012"
MIGRATIONS = Path(__file__).resolve().parents[3] / "core" / "state" / "migrations"
MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
"""
FIRST, SECOND, KILLED = "20261102-100000-772165c9", "20261102-110000-af753e4f", "20261102-120000-59df8e83"
BLOCKED = {number(last) for last in (30, 32, 50)}


@pytest.fixture(params=ENGINES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A copy of the store as that version left it, on either engine, opened by this version."""
    file = shutil.copy(WRITTEN / "store.sqlite", tmp_path / "state.db")
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{file}", KEY)
        yield opened
        opened.close()
        return

    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        copy_to(url, Path(file))
        opened = open_store(url, KEY)
        yield opened
        opened.close()


def copy_to(url: str, file: Path) -> None:
    """Carry the rows of the file over to a database with the tables of that version."""
    source, target = sa.create_engine(f"sqlite:///{file}"), sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with target.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")

    tables = sa.MetaData()
    tables.reflect(target)
    with source.connect() as before, target.begin() as after:
        for table in tables.sorted_tables:
            rows = [dict(row) for row in before.execute(sa.select(table)).mappings()]
            if rows and table.name != "alembic_version":
                after.execute(sa.insert(table), rows)
    source.dispose()
    target.dispose()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    """The CRM as it was when the process died, an hour later."""
    return restore_crm(WRITTEN, MAPPING, clock)


@pytest.fixture
def run(crm: MemoryCrm, old: Store, clock: SetClock, make_provider: MakeProvider) -> Callable[[], Summary]:
    """Run syncs that go on with the store."""

    def sync() -> Summary:
        clock.advance(minutes=1)
        lookups = [make_provider("first")]
        return run_sync(SyncJob(crm, crm.identify(), crm.shapes, old, Policy(), clock, lookups=lookups), SyncOptions())

    return sync


def test_every_flag_is_about_every_way_of_contact_and_keeps_whose_it_is(old: Store) -> None:
    table = schema.opt_out_flags
    with old.transaction() as connection:
        rows = connection.execute(sa.select(table.c.record_id, table.c.channel, table.c.state)).all()

    assert {channel for _, channel, _ in rows} == {Channel.ALL}
    assert {(id_, state) for id_, _, state in rows} == {
        *((id_, "raised") for id_ in ("p30", "p32", "p50")),
        *((id_, "derived") for id_ in ("p31", "p33", "p41")),
        ("p40", "lifted"),
    }


def test_the_flags_are_blocks_of_the_shared_ledger_at_once(old: Store, clock: SetClock) -> None:
    clock.advance(hours=24)
    question = ask_ledger(old, "", clock, sandbox=False)

    found = question.find([number(last) for last in (*range(30, 34), 35, 40, 41, 50, 55)])

    assert found.keys() == BLOCKED
    assert {(block.source, block.channel) for blocks in found.values() for block in blocks} == {
        (BlockSource.CRM, Channel.ALL)
    }


def test_the_history_and_the_journal_open(old: Store) -> None:
    assert {each.id: each.outcome for each in list_runs(old)} == {
        FIRST: RunOutcome.STOPPED,
        SECOND: RunOutcome.STOPPED,
        KILLED: RunOutcome.RUNNING,
    }
    assert next(open_batches(old, 1)).run_id == KILLED
    changes = [applied.change for applied in read_changes(old, FIRST)]
    assert all(isinstance(change, Change) for change in changes)
    assert {"p30", "p31", "p40"} <= {change.id for change in changes}


def test_a_sync_finishes_the_killed_run_and_the_next_one_writes_nothing(
    run: Callable[[], Summary], crm: MemoryCrm
) -> None:
    first = run()

    people = crm.rows["people"]
    assert first.complete
    assert all(people[id_]["rf_phone_status"] == "active" for id_ in ("p53", "p54", "p36"))
    assert people["p55"]["optout"] is True
    assert [flag.id for flag in first.stale_flags] == ["p41"]
    assert people["p40"]["optout"] is False

    before = {id_: dict(row) for id_, row in people.items()}
    second = run()

    assert second.total("written") == 0
    assert people == before


def test_a_run_of_the_old_version_can_be_undone(
    run: Callable[[], Summary], crm: MemoryCrm, old: Store, clock: SetClock
) -> None:
    run()

    undo_run(SyncJob(crm, crm.identify(), crm.shapes, old, Policy(), clock), find_run(old, FIRST), dry_run=False)

    assert "rf_phone_status" not in {name for name, value in crm.rows["people"]["p35"].items() if value}
    assert crm.rows["people"]["p31"]["optout"] is True
