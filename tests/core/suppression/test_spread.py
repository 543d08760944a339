"""Opt-outs reach every holder of the number, whatever ends the run that first saw them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.connectors.memory.lookup import PROFILE
from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer
from ringfence.core.model.caps import Caps
from ringfence.core.model.policy import Policy
from ringfence.core.numbers import mask
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import Sync

SHARED, OTHER = "+1 415 555 0132", "+1 415 555 0177"


class NeverAsked:
    """A provider that a budget of nothing keeps from being asked."""

    name = "never"
    realm = "never:test"
    price = 0.01
    profile = PROFILE

    def check(self) -> str | None:
        return None

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        for number in numbers:
            raise AssertionError(f"{mask(number)} was asked about")
        return iter(())

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def settled(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """Two holders of one number, screened and fresh, outside every window to come."""
    crm.put("people", "asks", phone=SHARED)
    crm.put("people", "fresh", phone=SHARED)
    sync()
    sync()
    assert sync().total("read") == 0
    return crm


def test_an_opt_out_survives_a_run_that_its_limit_ended(settled: MemoryCrm, sync: Sync) -> None:
    settled.put("people", "asks", optout=True)
    settled.put("people", "late", phone="+1 415 555 0133")
    assert not sync(limit=1).complete
    assert settled.rows["people"]["fresh"].get("optout") is None
    sync()
    assert settled.rows["people"]["fresh"]["optout"] is True
    assert settled.rows["people"]["fresh"]["rf_phone_status"] == "do_not_contact"


def test_an_opt_out_survives_a_run_that_was_cut_off_before_it_spread(
    settled: MemoryCrm, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled.put("people", "asks", optout=True)
    reach = settled.fetch

    def cut_off(object_name: str, ids: Any) -> Any:
        raise UnreachableError("The line is down.")

    monkeypatch.setattr(settled, "fetch", cut_off)
    assert sync().stopped
    monkeypatch.setattr(settled, "fetch", reach)
    sync()
    assert settled.rows["people"]["fresh"]["optout"] is True


@pytest.mark.parametrize("lagging", ["fresh", "asks"])
def test_a_flag_that_an_index_still_shows_up_raises_no_other_again(
    settled: MemoryCrm, sync: Sync, clock: SetClock, lagging: str
) -> None:
    for person in ("asks", "fresh"):
        settled.put("people", person, optout=True)
    sync()
    clock.advance(minutes=5)
    settled.freeze_index()
    for person in ("asks", "fresh"):
        settled.put("people", person, optout=False)
    caught_up = "asks" if lagging == "fresh" else "fresh"
    settled.index["people"][caught_up] = dict(settled.rows["people"][caught_up])  # type: ignore[index] # it is frozen
    sync()
    settled.index = None
    sync()

    for row in settled.rows["people"].values():
        assert (row["optout"], row["rf_phone_status"]) == (False, "valid")


def test_deleted_records_make_no_switchboard(settled: MemoryCrm, sync: Sync) -> None:
    for extra in range(4):
        settled.put("people", f"gone{extra}", phone=SHARED)
    sync()
    for extra in range(4):
        settled.delete("people", f"gone{extra}")
    settled.put("people", "asks", optout=True)

    assert sync().spread == []
    assert settled.rows["people"]["fresh"]["optout"] is True


def test_an_opt_out_that_has_reached_everybody_costs_nothing_more(settled: MemoryCrm, sync: Sync) -> None:
    for extra in range(3):
        settled.put("people", f"desk{extra}", phone=SHARED)
    settled.put("people", "asks", optout=True)

    assert sync().spread

    sync()
    # The switchboard's records stay unflagged: that is no reason to fetch them in every run.
    sync()

    assert sync().total("read") == 0


def test_an_opt_out_spreads_in_a_run_whose_budget_is_used_up(
    settled: MemoryCrm, sync: Sync, store: Store, clock: SetClock
) -> None:
    settled.put("people", "asks", optout=True)
    settled.put("people", "late", phone="+1 415 555 0133")
    clock.advance(seconds=10)
    job = SyncJob(
        settled, settled.identify(), settled.shapes, store, Policy(), clock, [NeverAsked()], Caps(max_lookups=0)
    )
    summary = run_sync(job, SyncOptions())

    assert summary.stopped
    assert not summary.complete
    assert settled.rows["people"]["fresh"]["optout"] is True
    assert settled.rows["people"]["late"].get("rf_phone_status") is None
    assert sync().complete
    assert settled.rows["people"]["late"]["rf_phone_status"] == "valid"


@pytest.fixture
def spend_all(crm: MemoryCrm, store: Store, clock: SetClock) -> Callable[[], Summary]:
    """Run syncs that their budget ends before they come to what waits."""

    def run() -> Summary:
        clock.advance(seconds=10)
        job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, [NeverAsked()], Caps(max_lookups=0))
        summary = run_sync(job, SyncOptions())
        assert not summary.complete
        return summary

    return run


def test_what_the_crm_did_not_take_of_an_opt_out_comes_back_also_in_runs_that_end_by_their_budget(
    settled: MemoryCrm, spend_all: Callable[[], Summary]
) -> None:
    settled.put("people", "asks", optout=True)
    settled.put("people", "late", phone="+1 415 555 0133")
    settled.refuse = lambda change: ("LOCKED", "try again") if change.id == "fresh" else None
    for _ in range(2):
        assert spend_all().total("failed") == 1
        settled.put("people", "late", phone="+1 415 555 0134")

    settled.refuse = lambda change: None
    spend_all()

    assert settled.rows["people"]["fresh"]["optout"] is True
    assert settled.rows["people"]["fresh"]["rf_phone_status"] == "do_not_contact"


def test_rows_that_are_refused_every_time_do_not_use_up_the_limit(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(4):
        crm.put("people", f"barred{i}", phone=SHARED)
    crm.refuse = lambda change: ("VALIDATION", "no") if change.id.startswith("barred") else None

    assert sync().total("failed") == 4

    for i in range(8):
        crm.put("people", f"new{i}", phone=f"+1 415 555 010{i}")

    for _ in range(2):
        assert not sync(limit=4).complete
    assert all(crm.rows["people"][f"new{i}"]["rf_phone_status"] == "valid" for i in range(8))
    assert sync().total("failed") == 4


LIFT = "opted out: to lift it, clear the flag on all records that hold it"


def test_a_flag_raised_again_says_by_which_number_and_how_to_lift_it(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", phone=SHARED, optout=True)
    crm.put("people", "again", phone=SHARED, mobile="+44 20 7946 0018", optout=True)
    sync()
    row = crm.rows["people"]["again"]

    assert row["rf_phone_reason"] == "opted_out: the opt-out flag of this record is set"

    crm.put("people", "again", optout=False)
    assert sync().total("opt_outs_enforced") == 1
    assert row["optout"] is True
    assert row["rf_phone_reason"] == f"opted_out: another record with this number {LIFT}"
    assert row["rf_mobile_reason"] == f"opted_out: another record with +1415***0132 in phone {LIFT}"
    assert sync().total("written") == 0


def test_a_second_number_in_the_field_is_named_as_the_one_that_opted_out(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", phone=SHARED, optout=True)
    crm.put("people", "two", phone=f"+1 415 555 0177 / {SHARED}")
    sync()
    reason = crm.rows["people"]["two"]["rf_phone_reason"]
    assert f"another record with +1415***0132 in phone {LIFT}" in reason
    assert SHARED not in reason


def test_a_mapping_without_an_object_leaves_what_waits_there_to_a_run_that_has_it(
    crm: MemoryCrm, store: Store, clock: SetClock
) -> None:
    people = crm.shapes["people"]
    both = {"people": people, "leads": replace(people, name="leads")}
    crm = MemoryCrm(both, clock)

    def run() -> Summary:
        clock.advance(minutes=10)
        return run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions())

    crm.put("people", "asks", phone=SHARED)
    crm.put("leads", "holds", phone=SHARED)
    crm.put("leads", "refused", phone=OTHER)
    crm.refuse = lambda change: ("RULE", "no") if change.id == "refused" else None
    run()
    run()
    crm.refuse = lambda change: None
    crm.put("people", "asks", optout=True)
    crm.shapes = {"people": people}
    assert run().waiting == {"failed": 1, "permission": 1}
    crm.shapes = both
    assert run().waiting == {}
    assert crm.rows["leads"]["holds"]["optout"] is True
    assert crm.rows["leads"]["refused"]["rf_phone_status"] == "valid"


def test_an_opt_out_field_that_is_mapped_later_tells_of_the_flags_that_are_up(settled: MemoryCrm, sync: Sync) -> None:
    asking = settled.shapes
    settled.shapes = {"people": replace(asking["people"], opt_outs=())}
    settled.put("people", "asks", optout=True)
    sync()
    sync()
    settled.shapes = asking

    assert sync().full
    assert settled.rows["people"]["asks"]["rf_phone_status"] == "do_not_contact"
    assert settled.rows["people"]["fresh"]["optout"] is True
    assert sync().total("read") == 2
    assert sync().total("read") == 0


def test_a_dry_run_follows_opt_outs_as_the_sync_after_it(settled: MemoryCrm, sync: Sync) -> None:
    settled.put("people", "asks", optout=True)

    rehearsal = sync(dry_run=True)
    real = sync()

    assert settled.rows["people"]["fresh"]["optout"] is True
    assert rehearsal.total("opt_outs_enforced") == real.total("opt_outs_enforced") == 2
