"""Opt-outs of records that are gone: merged into one whose flag is down, or in the recycle bin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from ringfence.connectors.hubspot import feed
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

WINNERS, LOSERS, EARLIER = "+1 415 555 0100", "+1 415 555 0101", "+1 415 555 0102"


def gone(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages if page.gone for record in page.records]


def lists(portal: HubSpotPortal) -> int:
    return portal.requests["GET /crm/v3/objects/{type}"]


@pytest.fixture
def cursor(crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox) -> str:
    """Where a first run has left off, hours ago."""
    reading = crm.open_feed({})
    list(reading.flagged())
    cursor = list(reading.changed())[-1].cursor
    assert cursor is not None
    sandbox.clock.advance(timedelta(hours=3).total_seconds())
    return cursor


@pytest.fixture
def pair(portal: HubSpotPortal) -> tuple[str, str]:
    """A contact that somebody has said may be called, and one with other numbers that knows nothing of it."""
    winner, loser = sorted(portal.contacts)[:2]
    portal.update_as_user(winner, phone=WINNERS, mobilephone="", rf_do_not_call="false")
    portal.update_as_user(loser, phone=EARLIER, mobilephone="", rf_do_not_call="")
    portal.update_as_user(loser, phone=LOSERS)
    return winner, loser


def test_an_opt_out_that_a_merge_would_lose_is_told_with_every_number(
    crm: HubSpotCrm, portal: HubSpotPortal, cursor: str, pair: tuple[str, str]
) -> None:
    winner, loser = pair
    portal.update_as_user(loser, rf_do_not_call="true")
    survivor = portal.merge(winner, loser)

    assert portal.contacts[survivor]["rf_do_not_call"] == "false"

    pages = list(crm.open_feed({"contacts": cursor}).changed())
    found = gone(pages)

    assert {record.id for record in found} == {winner, loser}
    assert {WINNERS, LOSERS, EARLIER} <= {str(record.values["phone"]) for record in found}
    assert all(record.values["rf_do_not_call"] is True for record in found)
    assert pages.index(next(page for page in pages if page.gone)) < pages.index(
        next(page for page in pages if survivor in [record.id for record in page.records])
    )


def test_a_full_read_tells_of_merges_too(crm: HubSpotCrm, portal: HubSpotPortal, pair: tuple[str, str]) -> None:
    portal.update_as_user(pair[1], rf_do_not_call="true")
    portal.merge(*pair)

    assert {record.id for record in gone(crm.open_feed({}).changed())} == set(pair)


def test_nothing_is_told_where_nobody_had_opted_out(
    crm: HubSpotCrm, portal: HubSpotPortal, cursor: str, pair: tuple[str, str]
) -> None:
    portal.merge(*pair)

    assert gone(crm.open_feed({"contacts": cursor}).changed()) == []


def test_what_somebody_decides_after_the_merge_stands(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox, cursor: str, pair: tuple[str, str]
) -> None:
    portal.update_as_user(pair[1], rf_do_not_call="true")
    survivor = portal.merge(*pair)
    sandbox.clock.advance(60)
    portal.update_as_user(survivor, rf_do_not_call="true")
    sandbox.clock.advance(60)
    portal.update_as_user(survivor, rf_do_not_call="false")

    assert gone(crm.open_feed({"contacts": cursor}).changed()) == []

    third = max(set(portal.contacts) - {survivor})
    sandbox.clock.advance(60)
    portal.update_as_user(third, rf_do_not_call="true")
    portal.merge(survivor, third)

    assert {record.id for record in gone(crm.open_feed({"contacts": cursor}).changed())} == {survivor, third}


def test_survivors_with_the_flag_up_cost_no_history(
    crm: HubSpotCrm, portal: HubSpotPortal, cursor: str, pair: tuple[str, str]
) -> None:
    portal.update_as_user(pair[0], rf_do_not_call="true")
    portal.merge(*pair)
    before = portal.requests["POST /crm/v3/objects/{type}/batch/read"]

    assert gone(crm.open_feed({"contacts": cursor}).changed()) == []
    assert portal.requests["POST /crm/v3/objects/{type}/batch/read"] == before


def test_flagged_records_in_the_recycle_bin_are_told(
    crm: HubSpotCrm, portal: HubSpotPortal, cursor: str, pair: tuple[str, str]
) -> None:
    flagged, plain = pair
    portal.update_as_user(flagged, rf_do_not_call="true")
    portal.archive(flagged)
    portal.archive(plain)

    found = gone(crm.open_feed({"contacts": cursor}).flagged())

    assert [(record.id, record.values["phone"]) for record in found] == [(flagged, WINNERS)]


def test_a_large_recycle_bin_is_read_once_a_day(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SMALL_BIN", 0)
    reads = []
    for hours in (0, 12, 11, 2):
        sandbox.clock.advance(timedelta(hours=hours).total_seconds())
        before = lists(portal)
        reading = crm.open_feed({"contacts": cursor})
        list(reading.flagged())
        cursor = list(reading.changed())[-1].cursor or ""
        reads.append(lists(portal) - before)

    assert reads == [1, 0, 0, 1]
