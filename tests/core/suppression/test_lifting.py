"""Absence loosens nothing: an opt-out is lifted by somebody, on a record that is there, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.memory_runs import Sync

LINE, OTHER = "+1 415 555 0132", "+1 415 555 0177"
DESKS = [f"desk{place}" for place in range(4)]


@pytest.fixture
def switchboard(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """Five records on one line, of which one has opted out: their slots are silenced, and no flag is raised."""
    crm.put("people", "asks", phone=LINE, optout=True)
    for id_ in DESKS:
        crm.put("people", id_, phone=LINE)
    assert len(sync().spread) == 1
    return crm


@pytest.fixture
def sync_anew(crm: MemoryCrm, clock: SetClock, tmp_path: Any) -> Callable[[], None]:
    """Run syncs with a state that knows nothing of those before."""
    file = tmp_path / "anew.db"

    def run() -> None:
        clock.advance(seconds=10)
        store = open_store(f"sqlite:///{file}")
        run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions())
        store.close()

    return run


def statuses(crm: MemoryCrm) -> set[Any]:
    return {crm.rows["people"][id_]["rf_phone_status"] for id_ in DESKS}


@pytest.mark.parametrize("full", [False, True])
def test_a_flag_lowered_on_a_record_that_is_there_lets_the_others_speak(
    switchboard: MemoryCrm, sync: Sync, full: bool
) -> None:
    switchboard.put("people", "asks", optout=False)

    sync(full=full)

    assert statuses(switchboard) == {"valid"}


def test_a_record_that_is_deleted_frees_nobody(switchboard: MemoryCrm, sync: Sync) -> None:
    switchboard.delete("people", "asks")

    for options in ({}, {"full": True}, {"rescreen": True}):
        sync(**options)
        assert statuses(switchboard) == {"do_not_contact"}


def test_a_record_that_is_out_of_sight_for_a_while_is_still_asked(switchboard: MemoryCrm, sync: Sync) -> None:
    asks = switchboard.rows["people"].pop("asks")
    sync(full=True)
    switchboard.rows["people"]["asks"] = asks
    switchboard.put("people", "asks", optout=False)

    sync()

    assert statuses(switchboard) == {"valid"}


def test_a_silenced_slot_is_evidence_also_where_the_state_is_lost_and_the_source_is_gone(
    switchboard: MemoryCrm, clock: SetClock, sync_anew: Callable[[], None]
) -> None:
    switchboard.delete("people", "asks")

    for days in (0, 40):
        clock.advance(days=days)
        sync_anew()
        assert statuses(switchboard) == {"do_not_contact"}

    # Somebody lifts it all the same: by the flag of that record.
    for flag, status in ((True, "do_not_contact"), (False, "valid")):
        switchboard.put("people", "desk0", optout=flag)
        sync_anew()
        assert switchboard.rows["people"]["desk0"]["rf_phone_status"] == status


def test_a_flag_lowered_while_the_state_was_lost_lets_its_record_and_the_others_speak(
    switchboard: MemoryCrm, sync_anew: Callable[[], None]
) -> None:
    switchboard.put("people", "asks", optout=False)

    sync_anew()

    assert switchboard.rows["people"]["asks"]["rf_phone_status"] == "valid"
    assert statuses(switchboard) == {"valid"}


def test_a_refused_record_and_one_without_a_flag_stay_silent_when_the_source_is_deleted(
    store: Store, clock: SetClock, crm: MemoryCrm
) -> None:
    people = crm.shapes["people"]
    crm = MemoryCrm({"people": people, "firms": replace(people, name="firms", opt_outs=())}, clock)
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("firms", "firm", phone=LINE, mobile=OTHER)

    def run(**options: Any) -> None:
        clock.advance(seconds=10)
        run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions(**options))

    run()
    crm.delete("people", "asks")
    run(full=True)

    firm = crm.rows["firms"]["firm"]
    assert (firm["rf_phone_status"], firm["rf_mobile_status"]) == ("do_not_contact", "valid")


def test_a_flag_that_is_seen_after_the_changes_were_read_silences_its_own_slots_in_the_same_run(
    crm: MemoryCrm, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.put("people", "asks", phone=LINE, mobile=OTHER)
    sync()
    sync()
    feed_of = crm.open_feed

    def open_feed(*asked: Any) -> Any:
        feed = feed_of(*asked)
        crm.put("people", "asks", optout=True)
        # The flag is read without an upper bound; the window of changes has ended before it was raised.
        crm.modified["people", "asks"] = feed.watermark
        feed.changed = lambda: iter(())
        return feed

    monkeypatch.setattr(crm, "open_feed", open_feed)
    summary = sync()

    assert summary.total("opt_outs_enforced") == 1
    assert crm.rows["people"]["asks"]["rf_phone_status"] == "do_not_contact"
    assert crm.rows["people"]["asks"]["rf_mobile_status"] == "do_not_contact"


@pytest.mark.parametrize("country", ["DE", ""])
def test_a_country_corrected_or_filled_in_later_is_read_anew_and_met_by_the_opt_out(
    crm: MemoryCrm, sync: Sync, country: str
) -> None:
    crm.shapes = {"people": replace(crm.shapes["people"], default_region=None)}
    crm.put("people", "asks", phone="+43 1 5132670", optout=True)
    crm.put("people", "moved", phone="01 5132670", country=country)
    sync()
    assert crm.rows["people"]["moved"].get("optout") is None

    crm.put("people", "moved", country="AT")
    sync()

    assert crm.rows["people"]["moved"]["optout"] is True
    assert crm.rows["people"]["moved"]["rf_phone_e164"] == "+4315132670"


@pytest.mark.parametrize("wrong", ["+493012345678", None])
def test_a_companion_that_an_import_overwrote_is_set_right_and_covers_nothing(
    crm: MemoryCrm, sync: Sync, wrong: str | None
) -> None:
    crm.put("people", "asks", phone=LINE)
    crm.put("people", "third", phone="+49 30 12345678")
    sync()
    crm.put("people", "asks", rf_phone_e164=wrong, optout=True)
    crm.put("people", "second", phone=LINE, rf_phone_e164=wrong)

    sync()

    assert crm.rows["people"]["second"]["optout"] is True
    assert crm.rows["people"]["third"].get("optout") is None
