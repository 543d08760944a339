"""Records that are gone: the survivor of a merge takes the opt-out over, and those who hold the number carry it on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringfence.connectors.memory import MemoryCrm, MemoryFeed
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page
from testkit.memory_runs import Sync

LINE, OTHER, THIRD = "+1 415 555 0132", "+1 415 555 0177", "+44 20 7946 0018"


@pytest.fixture
def gone(crm: MemoryCrm, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Give the records that the CRM names as gone in every run from now on."""
    records: list[Record] = []
    flagged = MemoryFeed.flagged

    def with_gone(feed: MemoryFeed) -> Iterator[Page]:
        yield from flagged(feed)
        if records:
            yield Page("people", list(records), gone=True)

    monkeypatch.setattr(MemoryFeed, "flagged", with_gone)
    return records


def name_gone(crm: MemoryCrm, gone: list[Record], id_: str) -> None:
    gone.append(crm.record("people", id_, crm.rows))


def said(crm: MemoryCrm, id_: str) -> tuple[object, object]:
    row = crm.rows["people"][id_]
    return row.get("optout"), row.get("rf_phone_status")


def test_the_opt_out_of_a_merged_record_is_its_survivors_own(crm: MemoryCrm, sync: Sync, gone: list[Record]) -> None:
    crm.put("people", "loser", phone=LINE)
    crm.put("people", "winner", phone=OTHER)
    crm.put("people", "near", phone=OTHER)
    crm.put("people", "colleague", phone=LINE)
    sync()
    crm.put("people", "loser", optout=True)
    name_gone(crm, gone, "loser")
    crm.merge("people", "winner", "loser")

    sync()

    assert said(crm, "winner") == (True, "do_not_contact")
    assert crm.rows["people"]["winner"]["rf_phone_reason"] == "opted_out: the opt-out flag of this record is set"
    # It is that person's flag, and so covers whoever holds a number of the survivor.
    assert said(crm, "near") == said(crm, "colleague") == (True, "do_not_contact")
    assert sync().total("written") == 0


def test_clearing_the_survivors_flag_lifts_the_opt_out_of_the_merged_record(
    crm: MemoryCrm, sync: Sync, gone: list[Record]
) -> None:
    crm.put("people", "loser", phone=LINE, optout=True)
    crm.put("people", "winner", phone=LINE)
    name_gone(crm, gone, "loser")
    crm.merge("people", "winner", "loser")
    sync()
    assert said(crm, "winner") == (True, "do_not_contact")

    crm.put("people", "winner", optout=False)
    sync()

    assert said(crm, "winner") == (False, "valid")


def test_a_deleted_record_leaves_its_opt_out_to_those_it_had_reached(
    crm: MemoryCrm, sync: Sync, gone: list[Record]
) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "third", phone=OTHER)
    sync()
    name_gone(crm, gone, "asks")
    crm.delete("people", "asks")
    crm.put("people", "newcomer", phone=LINE)

    sync()
    sync(full=True)

    assert said(crm, "second") == said(crm, "newcomer") == (True, "do_not_contact")
    assert said(crm, "third") == (None, "valid")

    for id_ in ("second", "newcomer"):
        crm.put("people", id_, optout=False)
    sync()

    assert said(crm, "second") == said(crm, "newcomer") == (False, "valid")


def test_a_flag_of_ringfence_ends_with_its_record(crm: MemoryCrm, sync: Sync, gone: list[Record]) -> None:
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "second", phone=LINE, mobile=OTHER)
    crm.put("people", "winner", phone=THIRD)
    crm.put("people", "third", phone=OTHER)
    sync()
    name_gone(crm, gone, "second")
    crm.merge("people", "winner", "second")

    sync()

    assert said(crm, "winner") == (None, "valid")
    assert said(crm, "third") == (None, "valid")


def test_a_record_that_is_gone_with_its_flag_down_lifts_nothing(crm: MemoryCrm, sync: Sync, gone: list[Record]) -> None:
    for place in range(5):
        crm.put("people", f"desk{place}", phone=LINE, optout=place == 0 or None)
    sync()
    assert said(crm, "desk4") == (None, "do_not_contact")

    crm.put("people", "desk0", optout=False)
    name_gone(crm, gone, "desk0")
    crm.delete("people", "desk0")
    sync()

    assert said(crm, "desk4") == (None, "do_not_contact")
