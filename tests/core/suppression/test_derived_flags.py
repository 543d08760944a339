"""One opt-out reaches the holders of its numbers and stops there: flags that ringfence raised pass on to nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.shapes import Spread
from ringfence.core.state.store import Store
from testkit.memory_runs import Sync

LINE, OTHER, THIRD = "+1 415 555 0132", "+1 415 555 0177", "+44 20 7946 0018"
COLLEAGUES = [f"c{place}" for place in range(9)]
OWN = "opted_out: the opt-out flag of this record is set"
SHARED = "opted_out: another record with"


@pytest.fixture
def office(crm: MemoryCrm) -> MemoryCrm:
    """Ten colleagues on one line, each with a mobile of their own; a friend of each holds that mobile too."""
    crm.shapes = {"people": replace(crm.shapes["people"], spread_limit=25)}
    crm.put("people", "asks", phone=LINE, mobile="+1 415 555 0190")
    for place, id_ in enumerate(COLLEAGUES):
        crm.put("people", id_, phone=LINE, mobile=f"+1 202 555 010{place}")
        crm.put("people", f"friend of {id_}", phone=f"+1 202 555 010{place}")
    return crm


@pytest.fixture
def lose_state(store: Store) -> Callable[[], None]:
    """Forget all that the state knows."""

    def lose() -> None:
        with store.transaction() as connection:
            for table in ("opt_out_flags", "holdings", "merged_records", "cursors", "pending", "lookup_answers"):
                connection.exec_driver_sql(f"DELETE FROM {table}")

    return lose


def said(crm: MemoryCrm, id_: str) -> tuple[object, object, object]:
    """Return the flag of a record, and what its phone and its mobile say."""
    row = crm.rows["people"][id_]
    return row.get("optout"), row.get("rf_phone_status"), row.get("rf_mobile_status")


def test_ten_colleagues_on_one_line_are_silenced_by_flags_and_nobody_behind_them(office: MemoryCrm, sync: Sync) -> None:
    sync()
    office.put("people", "asks", optout=True)

    sync()

    assert {said(office, id_) for id_ in ("asks", *COLLEAGUES)} == {(True, "do_not_contact", "do_not_contact")}
    assert {said(office, f"friend of {id_}") for id_ in COLLEAGUES} == {(None, "valid", None)}
    assert sync().total("written") == 0


def test_with_spread_by_slots_ten_colleagues_lose_the_line_and_keep_their_mobiles(
    office: MemoryCrm, sync: Sync
) -> None:
    office.shapes = {"people": replace(office.shapes["people"], spread=Spread.SLOTS)}
    sync()
    office.put("people", "asks", optout=True)

    sync()

    assert said(office, "asks") == (True, "do_not_contact", "do_not_contact")
    assert {said(office, id_) for id_ in COLLEAGUES} == {(None, "do_not_contact", "valid")}
    assert office.rows["people"]["c3"]["rf_phone_reason"].startswith(f"{SHARED} this number opted out")
    assert {said(office, f"friend of {id_}") for id_ in COLLEAGUES} == {(None, "valid", None)}

    office.put("people", "asks", optout=False)
    sync()

    assert {said(office, id_) for id_ in ("asks", *COLLEAGUES)} == {
        (False, "valid", "valid"),
        (None, "valid", "valid"),
    }


@pytest.mark.parametrize("placeholder", ["0000000000", "555-555-5555", "+1 999 555 0100"])
def test_a_placeholder_carries_nothing(crm: MemoryCrm, sync: Sync, placeholder: str) -> None:
    crm.put("people", "asks", phone=placeholder, mobile=LINE, optout=True)
    crm.put("people", "stranger", phone=placeholder, mobile=OTHER)

    sync()

    assert said(crm, "asks") == (True, "do_not_contact", "do_not_contact")
    assert said(crm, "stranger") == (None, "invalid", "valid")


def test_a_derived_flag_covers_neither_the_second_generation_nor_what_is_typed_in_later(
    crm: MemoryCrm, sync: Sync
) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER, mobile=THIRD)
    sync()

    crm.put("people", "second", phone=THIRD)
    sync()

    assert said(crm, "second") == (True, "do_not_contact", "do_not_contact")
    assert said(crm, "third") == (None, "valid", "valid")
    assert crm.rows["people"]["second"]["rf_phone_reason"].startswith(f"{SHARED} a number that this one held")


def test_what_a_derived_flag_is_stays_known_when_the_state_is_lost(
    crm: MemoryCrm, sync: Sync, lose_state: Callable[[], None]
) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER)
    sync()
    lose_state()

    summary = sync()

    assert said(crm, "second") == (True, "do_not_contact", "do_not_contact")
    assert said(crm, "third") == (None, "valid", None)
    assert summary.total("written") == 0


def test_a_flag_that_somebody_raised_again_is_that_persons(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER)
    sync()
    for id_ in ("asks", "second"):
        crm.put("people", id_, optout=False)
    sync()
    assert said(crm, "second") == (False, "valid", "valid")

    crm.put("people", "second", optout=True)
    sync()

    assert crm.rows["people"]["second"]["rf_phone_reason"] == OWN
    assert said(crm, "third") == (True, "do_not_contact", None)


def test_the_flag_of_somebody_whose_slot_was_silenced_without_one_is_that_persons(crm: MemoryCrm, sync: Sync) -> None:
    crm.shapes = {"people": replace(crm.shapes["people"], spread=Spread.SLOTS)}
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER)
    sync()

    crm.put("people", "second", optout=True)
    sync()

    assert said(crm, "second") == (True, "do_not_contact", "do_not_contact")
    assert crm.rows["people"]["second"]["rf_phone_reason"] == OWN
    assert said(crm, "third") == (None, "do_not_contact", None)


def test_the_flags_of_an_opt_out_that_has_ended_stay_up_and_are_named_until_somebody_clears_them(
    crm: MemoryCrm, sync: Sync
) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE)
    assert sync().stale_flags == []

    crm.put("people", "asks", optout=False)
    ended = sync()

    assert said(crm, "asks") == (False, "valid", None)
    assert said(crm, "second") == (True, "do_not_contact", None)
    assert [(flag.object, flag.id) for flag in ended.stale_flags] == [("people", "second")]
    assert ended.stale_flags_total == sync().stale_flags_total == 1

    crm.put("people", "second", optout=False)
    cleared = sync()

    assert said(crm, "second") == (False, "valid", None)
    assert (cleared.stale_flags, cleared.stale_flags_total) == ([], 0)


def test_a_flag_cleared_on_a_sharer_goes_up_again_while_the_source_asks_for_silence(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER)
    sync()

    for _ in range(2):
        crm.put("people", "second", optout=False)
        sync()

        assert said(crm, "second") == (True, "do_not_contact", "do_not_contact")
        assert crm.rows["people"]["second"]["rf_phone_reason"].startswith(f"{SHARED} this number opted out")
        assert said(crm, "third") == (None, "valid", None)


def test_a_second_number_in_a_field_and_an_unreadable_cell_carry_as_well(crm: MemoryCrm, sync: Sync) -> None:
    crm.shapes = {"people": replace(crm.shapes["people"], default_region=None)}
    crm.put("people", "asks", phone=f"{OTHER} / {LINE}", mobile="030 901820", optout=True)
    crm.put("people", "second", phone=LINE)
    crm.put("people", "same cell", phone="030/901820")

    sync()

    assert said(crm, "second") == (True, "do_not_contact", None)
    assert said(crm, "same cell") == (True, "do_not_contact", None)
    assert sync().total("written") == 0


def test_a_flag_among_several_values_is_raised_beside_the_others(crm: MemoryCrm, sync: Sync) -> None:
    flag = replace(crm.shapes["people"].opt_outs[0], true_values=("no_calls",), multiple=True)
    crm.shapes = {"people": replace(crm.shapes["people"], opt_outs=(flag,))}
    crm.put("people", "asks", phone=LINE, optout="no_calls;vip")
    crm.put("people", "second", phone=LINE, optout="vip;no_email")

    sync()

    assert said(crm, "asks") == ("no_calls;vip", "do_not_contact", None)
    assert said(crm, "second") == ("vip;no_email;no_calls", "do_not_contact", None)
    assert sync().total("written") == 0
