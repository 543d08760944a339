"""The reads of a run, through the real client over a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.errors import StateError
from ringfence.core.ports.crm import Page
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., HubSpotCrm]


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def cursor_after_full(crm: HubSpotCrm) -> str:
    cursor = list(crm.open_feed({}).changed())[-1].cursor
    assert cursor is not None
    return cursor


def let_the_overlap_pass(sandbox: Sandbox) -> None:
    sandbox.clock.advance(7200)


def test_a_first_read_gives_every_record_once_and_is_authoritative(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    feed = crm.open_feed({"contacts": None})

    assert feed.is_full("contacts")

    pages = list(feed.changed())

    assert sorted(ids(pages)) == sorted(portal.contacts)
    assert [len(page.records) for page in pages] == [100, 100, 100, 100, 50]
    assert all(page.authoritative and page.total == 450 for page in pages)
    assert list(feed.due(portal.clock.now() + timedelta(days=1))) == []


def test_a_full_read_goes_on_where_it_stopped_and_then_reads_what_changed_meanwhile(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    pages = crm.open_feed({}).changed()
    first = next(pages)
    seen = ids([first])
    let_the_overlap_pass(sandbox)
    portal.update_as_user(seen[0], firstname="Renamed")
    feed = crm.open_feed({"contacts": first.cursor})

    assert feed.is_full("contacts")

    rest = ids(feed.changed())

    assert sorted(seen + rest) == sorted([*portal.contacts, seen[0]])


def test_changes_come_in_the_next_window_and_never_from_before_it(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    cursor = cursor_after_full(crm)
    let_the_overlap_pass(sandbox)
    some = sorted(portal.contacts)[::90]

    for each in some:
        portal.update_as_user(each, phone="+1 415 555 0100")

    feed = crm.open_feed({"contacts": cursor})

    assert not feed.is_full("contacts")

    pages = list(feed.changed())

    assert ids(pages) == some
    assert not any(page.authoritative for page in pages)

    let_the_overlap_pass(sandbox)

    again = list(crm.open_feed({"contacts": pages[-1].cursor}).changed())

    assert ids(again) == some  # the overlap

    let_the_overlap_pass(sandbox)

    quiet = list(crm.open_feed({"contacts": again[-1].cursor}).changed())

    assert ids(quiet) == []
    assert quiet[-1].cursor is not None


def test_a_row_that_the_index_shows_late_is_still_found(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    cursor = cursor_after_full(crm)
    let_the_overlap_pass(sandbox)
    portal.search_lag_s = 1800
    late = min(portal.contacts)
    portal.update_as_user(late, phone="+1 415 555 0101")

    first = list(crm.open_feed({"contacts": cursor}).changed())

    assert ids(first) == []

    sandbox.clock.advance(2000)

    assert ids(crm.open_feed({"contacts": first[-1].cursor}).changed()) == [late]


@pytest.mark.parametrize("sandbox", [{"contacts": 10_450}], indirect=True)
def test_more_rows_on_one_millisecond_than_hubspot_pages_are_all_read(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    feed = crm.open_feed({})
    cursor = next(page.cursor for page in feed.changed())

    assert cursor is not None

    cursor = cursor.replace('"mode":"full"', '"mode":"done"').replace(cursor[cursor.index(',"after"') : -1], "")
    let_the_overlap_pass(sandbox)
    portal.set_modified(list(portal.contacts), portal.clock.now())
    before = portal.requests["POST /crm/v3/objects/{type}/search"]

    pages = list(crm.open_feed({"contacts": cursor}).changed())

    assert len(set(ids(pages))) == len(ids(pages)) == 10_450
    assert portal.requests["POST /crm/v3/objects/{type}/search"] - before == 53


def test_a_window_goes_on_behind_the_last_handled_page(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    cursor = cursor_after_full(crm)
    let_the_overlap_pass(sandbox)
    portal.set_modified(list(portal.contacts), portal.clock.now())
    let_the_overlap_pass(sandbox)
    first = next(crm.open_feed({"contacts": cursor}).changed())
    let_the_overlap_pass(sandbox)
    late = min(portal.contacts)
    portal.update_as_user(late, phone="+1 415 555 0102")

    rest = ids(crm.open_feed({"contacts": first.cursor}).changed())

    # The old window is finished, then the new one brings the row that left it.
    assert sorted(ids([first]) + rest) == sorted([*portal.contacts, late])


def test_a_cursor_that_is_not_ours_is_refused(crm: HubSpotCrm) -> None:
    with pytest.raises(StateError, match="--full"):
        crm.open_feed({"contacts": "2026-11-01T00:00:00Z"})


def test_flags_are_read_in_full_and_lowered_ones_with_the_changes(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    flagged = {one for one, held in portal.contacts.items() if held.get("rf_do_not_call") == "true"}

    assert flagged
    assert set(ids(crm.open_feed({}).flagged())) == flagged

    cursor = cursor_after_full(crm)
    let_the_overlap_pass(sandbox)
    raised, lowered, other = sorted(set(portal.contacts) - flagged)[:3]
    portal.update_as_user(raised, rf_do_not_call="true")
    portal.update_as_user(lowered, rf_do_not_call="false", rf_phone_status="do_not_contact")
    portal.update_as_user(other, rf_do_not_call="false")

    found = [record for page in crm.open_feed({"contacts": cursor}).flagged() for record in page.records]

    assert [(record.id, record.values["rf_do_not_call"]) for record in found] == [(raised, True), (lowered, False)]
    # Each time a search and the recycle bin.
    assert crm.calls["opt_outs"] == 4


def test_a_flag_among_several_values_is_read_in_full_and_by_window(
    connect: Connect, portal: HubSpotPortal, sandbox: Sandbox, preferences: str
) -> None:
    crm = connect(
        "crm: hubspot\nobjects:\n  contacts:\n    phones: {phone: {}}\n"
        f"    opt_out: {{field: {preferences}, true_values: [no_calls], multiple: true}}\n"
    )
    flagged, other, later = sorted(portal.contacts)[:3]
    portal.update_as_user(flagged, preferences="vip;no_calls")
    portal.update_as_user(other, preferences="vip;no_email")

    assert ids(crm.open_feed({}).flagged()) == [flagged]

    cursor = cursor_after_full(crm)
    let_the_overlap_pass(sandbox)
    portal.update_as_user(later, preferences="no_calls;no_email")

    assert later in ids(crm.open_feed({"contacts": cursor}).flagged())


def test_due_are_filled_slots_never_screened_or_screened_before(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    cursor = cursor_after_full(crm)
    before = portal.clock.now() - timedelta(days=30)
    limit = before.isoformat()

    def is_due(held: dict[str, str]) -> bool:
        return any(
            held.get(slot) and (not (last := held.get(f"rf_{slot}_last_screened")) or last < limit)
            for slot in ("phone", "mobilephone")
        )

    expected = sorted(one for one, held in portal.contacts.items() if is_due(dict(held)))

    found = ids(crm.open_feed({"contacts": cursor}).due(before))

    assert 0 < len(expected) < 450
    assert found == expected


def test_screened_records_are_found_by_any_slot(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    since = portal.clock.now() - timedelta(days=30)
    expected = sorted(
        one
        for one, held in portal.contacts.items()
        if any(held.get(f"rf_{slot}_last_screened", "") >= since.isoformat() for slot in ("phone", "mobilephone"))
    )

    assert expected
    assert ids(crm.open_feed({}).screened(since)) == expected


FRANCE = "[{propertyName: country, operator: EQ, value: France}]"


def test_a_filter_marks_what_lies_outside_in_every_read(
    connect: Connect, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    crm = connect(filter=FRANCE)
    inside = {one for one, held in portal.contacts.items() if held.get("country") == "France"}

    assert 0 < len(inside) < 450

    def split(pages: Iterable[Page]) -> tuple[set[str], set[str]]:
        records = [record for page in pages for record in page.records]
        return {r.id for r in records if r.in_scope}, {r.id for r in records if not r.in_scope}

    full = list(crm.open_feed({}).changed())

    assert split(full) == (inside, set(portal.contacts) - inside)

    flagged_in, flagged_out = split(crm.open_feed({}).flagged())

    assert flagged_in <= inside
    assert flagged_out
    assert not flagged_out & inside

    let_the_overlap_pass(sandbox)
    portal.set_modified(list(portal.contacts), portal.clock.now())
    feed = crm.open_feed({"contacts": full[-1].cursor})

    assert split(feed.changed()) == (inside, set(portal.contacts) - inside)

    due_in, due_out = split(feed.due(portal.clock.now()))

    assert due_in <= inside
    assert due_in
    assert not due_out

    fetched = crm.fetch("contacts", list(portal.contacts))

    assert {record.id for record in fetched if record.in_scope} == inside


def test_a_filter_in_a_resumed_full_read_loses_nobody(connect: Connect, portal: HubSpotPortal) -> None:
    crm = connect(filter=FRANCE)
    inside = {one for one, held in portal.contacts.items() if held.get("country") == "France"}
    first = next(crm.open_feed({}).changed())
    rest = crm.open_feed({"contacts": first.cursor}).changed()
    found = [*first.records, *(record for page in rest for record in page.records)]

    assert {record.id for record in found if record.in_scope} == inside


def test_fetch_follows_merges_and_leaves_out_what_is_gone(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    kept, gone, archived, plain = sorted(portal.contacts)[:4]
    survivor = portal.merge(kept, gone)
    portal.archive(archived)

    found = crm.fetch("contacts", [kept, gone, archived, plain, "1"])

    assert sorted(record.id for record in found) == sorted([survivor, plain])


def test_values_come_typed(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    one = min(portal.contacts)
    portal.update_as_user(
        one, phone="٠١٢ ☎ Müller", rf_do_not_call="true", rf_phone_last_screened="2026-10-01T08:00:00Z"
    )

    (record,) = crm.fetch("contacts", [one])

    assert record.values["phone"] == "٠١٢ ☎ Müller"
    assert record.values["rf_do_not_call"] is True
    assert record.values["rf_phone_last_screened"].isoformat() == "2026-10-01T08:00:00+00:00"  # type: ignore[union-attr]  # the assertion is the check
    assert record.modified is not None


def test_no_search_is_refused_for_its_pace(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    feed = crm.open_feed({})
    for _ in range(30):
        list(feed.flagged())

    assert portal.requests["POST /crm/v3/objects/{type}/search"] == 30
    assert crm.calls["opt_outs"] == 60  # none was repeated; the other half read the recycle bin
