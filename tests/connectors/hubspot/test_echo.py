"""Our own writes among the changes: read back once, and nothing of anybody else's lost by that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from ringfence.connectors.hubspot import echo
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.core.ports.crm import Page
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., HubSpotCrm]

NUMBER, OTHER = "+1 415 555 0100", "+1 415 555 0101"


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


@dataclass
class Installation:
    """One installation at work in the portal: what it writes is told to its next runs."""

    crm: HubSpotCrm
    sandbox: Sandbox
    planned: list[tuple[datetime, list[str]]] = field(default_factory=list)
    cursor: str | None = None

    def own_writes(
        self, object_name: str, since: datetime, before: datetime | None = None
    ) -> Iterator[tuple[datetime, Sequence[str]]]:
        assert object_name == "contacts"
        for moment, written in reversed(self.planned):
            if since <= moment and (before is None or moment <= before):
                yield moment, written

    def write(self, some: Sequence[str]) -> None:
        """Screen these contacts, a hundred in each second."""
        for start in range(0, len(some), 100):
            now, batch = self.sandbox.clock.now(), list(some[start : start + 100])
            self.planned.append((now, batch))
            stamp = FieldChange("rf_phone_last_screened", None, now.replace(microsecond=0))
            results = self.crm.write([Change.of("contacts", one, (stamp,)) for one in batch])
            assert {result.outcome for result in results} == {Outcome.WRITTEN}
            self.sandbox.clock.advance(1)

    def read(self) -> list[Page]:
        """Read what changed, as a run does that comes to its end."""
        pages = list(self.crm.open_feed({"contacts": self.cursor}, self.own_writes).changed())
        self.cursor = pages[-1].cursor
        assert self.cursor is not None
        return pages

    def count_calls(self, read: Callable[[], object]) -> int:
        before = sum(self.crm.calls.values())
        read()
        return sum(self.crm.calls.values()) - before


@pytest.fixture
def here(crm: HubSpotCrm, sandbox: Sandbox, portal: HubSpotPortal) -> Installation:
    """An installation that has just screened the whole portal for the first time."""
    installation = Installation(crm, sandbox)
    installation.read()
    sandbox.clock.advance(10)
    installation.write(sorted(portal.contacts))
    return installation


def test_own_writes_are_read_back_once_and_by_their_ids(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    first = here.read()

    assert Counter(ids(first)) == Counter(list(portal.contacts))
    assert all(page.authoritative for page in first if page.records)

    for _ in range(5):
        sandbox.clock.advance(600)
        feed = here.crm.open_feed({"contacts": here.cursor}, here.own_writes)
        before = sum(here.crm.calls.values())
        list(feed.flagged())

        assert sum(here.crm.calls.values()) - before == 3 + 1  # searches, and the recycle bin
        assert ids(feed.changed()) == []
        assert sum(here.crm.calls.values()) - before == 5


def test_what_others_change_is_read_however_close_it_is_to_our_writes(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    one, two, three = sorted(portal.contacts)[:3]
    # In the moment of our own last write, between reading back and the next run, and after that.
    portal.set_modified([one], here.planned[-1][0])
    here.read()
    portal.update_as_user(two, phone=NUMBER)

    assert ids(here.read()) == [two]

    sandbox.clock.advance(600)
    portal.update_as_user(three, phone=NUMBER)

    assert ids(here.read()) == [two, three]


def test_an_edit_that_the_index_shows_late_was_seen_by_reading_back(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    edited = sorted(portal.contacts)[7]
    portal.search_lag_s = 3_000
    # After our write of this contact and before our last one.
    here.write(sorted(portal.contacts)[:100])
    portal.update_as_user(edited, phone=OTHER, rf_do_not_call="true")
    here.write(sorted(portal.contacts)[100:200])

    found = {record.id: record for page in here.read() for record in page.records}

    assert found[edited].values["phone"] == OTHER
    assert found[edited].values["rf_do_not_call"] is True


def test_a_late_row_of_somebody_elses_is_found_among_the_settled_ones(
    crm: HubSpotCrm, sandbox: Sandbox, portal: HubSpotPortal
) -> None:
    here = Installation(crm, sandbox)
    here.read()
    *written, late, flagged = sorted(portal.contacts)
    portal.search_lag_s = 2_000
    here.write(written[:300])
    portal.update_as_user(late, phone=OTHER)
    portal.update_as_user(flagged, rf_do_not_call="true")
    here.write(written[300:])

    assert not {late, flagged} & set(ids(here.read()))

    sandbox.clock.advance(2_000)
    feed = crm.open_feed({"contacts": here.cursor}, here.own_writes)

    assert flagged in ids(feed.flagged())
    assert ids(feed.changed()) == [late, flagged]


def test_reading_back_goes_on_where_it_stopped(here: Installation, portal: HubSpotPortal, sandbox: Sandbox) -> None:
    feed = here.crm.open_feed({"contacts": None}, here.own_writes)
    here.cursor = list(feed.changed())[-1].cursor
    pages = here.crm.open_feed({"contacts": here.cursor}, here.own_writes).changed()
    some = [next(pages), next(pages)]
    here.cursor = some[-1].cursor
    sandbox.clock.advance(60)

    calls = here.count_calls(here.read)

    # Two of five batches are behind it, one of which may be read again; then the count, the window and the log-in.
    assert calls <= 5 + 3
    assert set(ids(some)) < set(portal.contacts)
    assert ids(here.read()) == []


def test_nothing_is_left_out_where_somebody_else_writes_verdicts_too(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox, connect: Connect
) -> None:
    other = Installation(connect(), sandbox)
    more = [portal.new_id() for _ in range(3)]
    for one in more:
        portal.stores["contacts"].add(one, {"phone": NUMBER}, portal.now(), portal.now())
    other.write([str(one) for one in more])
    here.write(sorted(portal.contacts)[:1])
    here.read()
    sandbox.clock.advance(600)

    assert set(ids(here.read())) == set(portal.contacts)


def test_few_writes_are_read_back_by_the_windows(crm: HubSpotCrm, sandbox: Sandbox, portal: HubSpotPortal) -> None:
    here = Installation(crm, sandbox)
    here.read()
    here.write(sorted(portal.contacts)[: echo.SMALL])

    for _ in range(2):
        calls = here.count_calls(here.read)

        assert calls == 1 + 2  # the watermark, and two pages


def test_an_echo_that_no_later_window_would_bring_is_not_read_by_id(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    sandbox.clock.advance(timedelta(hours=2).total_seconds())

    pages = here.read()

    assert sorted(ids(pages)) == sorted(portal.contacts)
    assert not any(page.authoritative for page in pages)


def test_a_second_large_write_within_the_hour_is_read_back_once_as_well(
    here: Installation, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    here.read()
    sandbox.clock.advance(600)
    portal.update_as_user(min(portal.contacts), phone=NUMBER)
    here.write(sorted(portal.contacts)[:440])

    assert len(ids(here.read())) == 440

    sandbox.clock.advance(600)

    assert here.count_calls(here.read) <= 3
    assert ids(here.read()) == []


def test_with_more_phone_properties_than_a_search_has_room_for_windows_bring_the_echo(
    here: Installation, connect: Connect, portal: HubSpotPortal
) -> None:
    slots = "{phone: {}, mobilephone: {}, fax: {}, hs_whatsapp_phone_number: {}}"
    crm = connect(f"crm: hubspot\nobjects:\n  contacts:\n    phones: {slots}\n    opt_out: {{field: rf_do_not_call}}\n")
    list(crm.apply_setup(crm.plan_setup()))

    pages = list(crm.open_feed({"contacts": here.cursor}, here.own_writes).changed())

    assert sorted(ids(pages)) == sorted(portal.contacts)
    assert not any(page.authoritative for page in pages)
