"""A store that schema 0004 wrote: it did not keep whose flag it was, and its journal tells."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.policy import Policy
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncJob, SyncOptions, run_sync
from ringfence.core.state import schema
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.kept_stores import KEY, number, restore_crm

WRITTEN = Path(__file__).parent / "schema_0004"
MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
"""
OURS, THEIRS = {"p31", "p32", "p33", "p40", "p51"}, {"p30", "p43", "p50"}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Store]:
    """A copy of the store as that version left it, opened by this one."""
    file = shutil.copy(WRITTEN / "store.sqlite", tmp_path / "state.db")
    opened = open_store(f"sqlite:///{file}", KEY)
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    """The CRM as it was after the last run, an hour later."""
    return restore_crm(WRITTEN, MAPPING, clock)


@pytest.fixture
def run(crm: MemoryCrm, old: Store, clock: SetClock) -> Callable[..., Summary]:
    """Run syncs that go on with the store."""

    def sync(**options: bool) -> Summary:
        clock.advance(minutes=1)
        return run_sync(SyncJob(crm, crm.identify(), crm.shapes, old, Policy(), clock), SyncOptions(**options))

    return sync


def states(store: Store) -> dict[str, set[str]]:
    table = schema.opt_out_flags
    found: dict[str, set[str]] = {}
    with store.transaction() as connection:
        for row in connection.execute(sa.select(table.c.record_id, table.c.state)):
            found.setdefault(row.record_id, set()).add(row.state)
    return found


def test_every_flag_counts_as_raised_by_somebody_until_the_journal_was_asked(old: Store, clock: SetClock) -> None:
    ledger = OptOutLedger(old, 1, "next", clock)

    assert states(old) == {id_: {"unsettled"} for id_ in OURS | THEIRS}
    held = [number(last) for last in (30, 31, 32, 40, 43, 50, 51)]
    assert ledger.covered(held) == set(held)


def test_the_journal_tells_which_flags_ringfence_raised(old: Store, clock: SetClock) -> None:
    ledger = OptOutLedger(old, 1, "next", clock)

    ledger.settle_flags({"people": {"optout"}})

    assert states(old) == {id_: {"derived"} for id_ in OURS} | {id_: {"raised"} for id_ in THEIRS}
    assert ledger.covered([number(last) for last in (30, 31, 32, 40, 43, 50, 51)]) == {
        number(last) for last in (30, 40, 43, 50)
    }


def test_a_sync_goes_on_with_the_old_flags_and_passes_on_those_of_people_alone(
    run: Callable[..., Summary], crm: MemoryCrm
) -> None:
    for id_, last in (("near", 30), ("far", 31), ("again", 43), ("behind", 51)):
        crm.put("people", id_, phone=number(last))

    summary = run()

    people = crm.rows["people"]
    assert {id_ for id_ in ("near", "far", "again", "behind") if people[id_].get("optout")} == {"near", "again"}
    assert all(people[id_]["optout"] is True for id_ in OURS | THEIRS)
    # What the old version had passed on from flag to flag is called for by nobody.
    assert [flag.id for flag in summary.stale_flags] == ["p32", "p33"]


def test_the_slots_tell_whose_flags_they_are_once_all_was_read(
    run: Callable[..., Summary], crm: MemoryCrm, old: Store
) -> None:
    run(full=True)
    with old.transaction() as connection:
        for table in (schema.opt_out_flags, schema.holdings):
            connection.execute(sa.delete(table))

    run(full=True)

    assert states(old) == {id_: {"derived"} for id_ in OURS} | {id_: {"raised"} for id_ in THEIRS}
    assert run().total("written") == 0
