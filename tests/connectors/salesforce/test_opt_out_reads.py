"""Which records tell of an opt-out: flagged, deleted, converted and encrypted ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reads import alive, end, ids, records, settle, window

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_Phone_Status__c"
LAST = "RF_Phone_Last_Screened__c"


def test_flags_without_a_mapped_field_are_not_asked_for(connect: Connect) -> None:
    crm = connect("crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {}}\n")
    feed = crm.open_feed({})

    assert list(feed.flagged()) == []
    assert "opt_outs" not in crm.calls


def test_converted_leads_are_left_out_of_all_but_opt_outs(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    crm = connect(both)
    gone, kept = alive(org, "Lead")[:2]
    for one in (gone, kept):
        org.update_as_user("Lead", one, DoNotCall=True, **{LAST: sandbox.clock.now()})

    cursors = {page.object: page.cursor for page in crm.open_feed({}).changed()}
    org.convert_lead(gone)
    settle(sandbox)

    for at in ({}, cursors):
        feed = connect(both).open_feed(at)
        for read in (feed.changed(), feed.screened(datetime(2020, 1, 1, tzinfo=UTC))):
            found = ids(page for page in read if page.object == "Lead")
            assert kept in found
            assert gone not in found

        flagged = [page for page in feed.flagged() if page.object == "Lead"]
        assert kept in ids(page for page in flagged if not page.gone)
        assert set(ids(page for page in flagged if page.gone)) == {gone}

    due = connect(both).open_feed(cursors).due(sandbox.clock.now() + timedelta(days=1))

    assert gone not in ids(due)
    assert [record.id for record in crm.fetch("Lead", [gone, kept])] == [kept]


def test_a_converted_lead_asks_for_its_contact_too(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    lead = alive(org, "Lead")[0]
    org.update_as_user("Lead", lead, DoNotCall=True, Phone="+14155550123", MobilePhone=None)
    contact = org.convert_lead(lead)
    org.update_as_user("Contact", contact, Phone="030 23125123", MailingCountry="DE", DoNotCall=False)

    found = [page for page in connect(both).open_feed({}).flagged() if lead in ids([page])]
    phones = [(record.id, record.values["Phone"], record.values["Country"]) for record in records(found)]

    assert phones[0] == (lead, "030 23125123", "DE")
    assert [phone for _, phone, _ in phones[1:]] == ["+14155550123"]
    assert all(record.values["DoNotCall"] for record in records(found))


def test_a_converted_lead_whose_flag_was_lowered_is_told(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    lead = alive(org, "Lead")[0]
    org.update_as_user("Lead", lead, DoNotCall=True, **{STATUS: "do_not_contact"})
    sandbox.clock.advance(600)
    cursors = {page.object: page.cursor for page in connect(both).open_feed({}).changed()}
    org.update_as_user("Lead", lead, DoNotCall=False)
    org.convert_lead(lead)

    found = [page for page in connect(both).open_feed(cursors).flagged() if lead in ids([page])]

    assert [(page.gone, page.records[0].values["DoNotCall"]) for page in found] == [(False, False)]


@pytest.mark.parametrize("full", [True, False])
def test_a_record_deleted_with_its_flag_up_is_told_as_gone(
    connect: Connect, org: SalesforceOrg, cursor: str, full: bool
) -> None:
    flagged, plain = alive(org)[:2]
    org.update_as_user("Contact", flagged, DoNotCall=True)
    org.update_as_user("Contact", plain, DoNotCall=False)
    for one in (flagged, plain):
        org.delete("Contact", one)

    feed = connect().open_feed({"Contact": None if full else cursor})

    assert ids(page for page in feed.flagged() if page.gone) == [flagged]


def test_a_window_reads_flags_of_the_running_minute_too(connect: Connect, org: SalesforceOrg, cursor: str) -> None:
    one = next(one for one in alive(org) if not org.rows("Contact")[one]["DoNotCall"])
    org.update_as_user("Contact", one, DoNotCall=True)

    assert one in ids(window(connect, cursor).flagged())


def test_flags_can_be_read_twice(connect: Connect, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, DoNotCall=True)
    feed = connect().open_feed({})

    for _ in range(2):
        assert one in ids(feed.flagged())


def test_text_flags_are_escaped(connect: Connect, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, Department="don't \\ call")
    crm = connect(opt_out='{field: Department, true_values: ["don\'t \\\\ call"]}')

    assert ids(crm.open_feed({}).flagged()) == [one]


@pytest.fixture
def encrypted(connect: Connect, org: SalesforceOrg) -> Connect:
    """Connect to an org whose phone and opt-out fields no condition may name, its fields described as in any run."""
    for name in ("Phone", "Department"):
        org.encrypt_field("Contact", name)

    def open_one() -> SalesforceCrm:
        crm = connect(opt_out="{field: Department, true_values: [never]}")
        assert crm.check()
        return crm

    return open_one


def test_an_encrypted_opt_out_is_found_in_every_read(encrypted: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    flagged, deleted, later = alive(org)[:3]
    for one in (flagged, deleted):
        org.update_as_user("Contact", one, Department="Never")
    org.delete("Contact", deleted)
    sandbox.clock.advance(600)

    feed = encrypted().open_feed({})
    assert ids(feed.flagged()) == [flagged, deleted]
    cursors = {"Contact": end(feed.changed())}

    org.update_as_user("Contact", later, Department="Never")
    sandbox.clock.advance(600)

    assert ids(encrypted().open_feed(cursors).flagged()) == [later]


def test_an_encrypted_phone_is_due_only_where_it_is_filled(
    encrypted: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    moments = {LAST: sandbox.clock.now(), "RF_MobilePhone_Last_Screened__c": sandbox.clock.now()}
    for one in alive(org):
        org.update_as_user("Contact", one, Phone="+14155550123", MobilePhone=None, **moments)
    empty, unscreened = alive(org)[:2]
    org.update_as_user("Contact", empty, Phone=None, **{LAST: None})
    org.update_as_user("Contact", unscreened, **{LAST: None})
    cursors = {"Contact": end(encrypted().open_feed({}).changed())}

    assert ids(encrypted().open_feed(cursors).due(sandbox.clock.now() - timedelta(days=1))) == [unscreened]
