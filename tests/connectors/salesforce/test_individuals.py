"""What a linked Individual says of calls is told with the record: its refusals, and its consent to the telephone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Depth, Level
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .conftest import BOTH, CONTACTS
from .reads import alive, end, records, settle

Connect = Callable[..., SalesforceCrm]
ORG = parse_org("salesforce: {data_protection: true}", "test")

protected = pytest.mark.parametrize("sandbox", [{"contacts": 30, "org": ORG}], indirect=True)


def link(org: SalesforceOrg, record: str, **refusal: bool) -> str:
    one = org.create_as_user("Individual", LastName="Doe", **refusal)
    org.update_as_user("Contact", record, IndividualId=one, DoNotCall=False)
    return one


def consent(org: SalesforceOrg, individual: str, **fields: str | datetime) -> str:
    told: dict[str, str | datetime] = {"ContactPointType": "Phone", "PrivacyConsentStatus": "OptOut", **fields}
    return org.create_as_user("ContactPointTypeConsent", PartyId=individual, CaptureSource="web", **told)


def checked(connect: Connect, mapping: str = CONTACTS) -> SalesforceCrm:
    crm = connect(mapping)
    crm.check()
    return crm


def told(found: list[Record]) -> dict[str, bool | None]:
    return {record.id: record.withdrawn for record in found}


@pytest.fixture
def moved(connect: Connect, sandbox: Sandbox, org: SalesforceOrg) -> Callable[[], dict[str, str | None]]:
    """Give what reads everything and returns cursors whose windows do not reach back to it."""

    def read() -> dict[str, str | None]:
        sandbox.clock.advance(600)
        cursor = end(checked(connect).open_feed({}).changed())
        sandbox.clock.advance(600)
        return {"Contact": cursor}

    return read


@protected
@pytest.mark.parametrize("refusal", ["HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget"])
def test_a_full_read_tells_who_refuses_before_the_records(connect: Connect, org: SalesforceOrg, refusal: str) -> None:
    refuses, allows, alone = alive(org)[:3]
    link(org, refuses, **{refusal: True})
    link(org, allows, HasOptedOutTracking=True)
    crm = checked(connect)
    feed = crm.open_feed({})

    flagged, changed = told(records(feed.flagged())), told(records(feed.changed()))

    assert flagged[refuses] is True
    assert allows not in flagged
    assert [changed[one] for one in (refuses, allows, alone)] == [True, False, None]
    assert told(crm.fetch("Contact", [refuses, allows, alone])) == {refuses: True, allows: False, alone: None}


@protected
def test_a_window_tells_whose_individual_changed_either_way(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, moved: Callable[[], dict[str, str | None]]
) -> None:
    refuses, allows, named = alive(org)[:3]
    first, second = link(org, refuses), link(org, allows, HasOptedOutSolicit=True)
    third = org.create_as_user("Individual", LastName="Roe", ShouldForget=True)
    cursors = moved()

    org.update_as_user("Individual", first, HasOptedOutSolicit=True)
    org.update_as_user("Individual", second, HasOptedOutSolicit=False)
    org.update_as_user("Contact", named, IndividualId=third, DoNotCall=False)
    settle(sandbox)
    flagged = told(records(checked(connect).open_feed(cursors).flagged()))

    assert flagged == {refuses: True, allows: False, named: True}


@protected
def test_consent_counts_for_the_telephone_and_while_it_is_in_effect(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    now, day = sandbox.clock.now(), timedelta(days=1)
    cases: list[tuple[bool, dict[str, str | datetime]]] = [
        (True, {}),
        (True, {"EffectiveFrom": now - day, "EffectiveTo": now + day}),
        (False, {"EffectiveFrom": now + day}),
        (False, {"EffectiveTo": now - day}),
        (False, {"ContactPointType": "Email"}),
        (False, {"PrivacyConsentStatus": "OptIn"}),
    ]
    expected = {record: refused for record, (refused, _) in zip(alive(org), cases, strict=False)}
    for record, (_, fields) in zip(expected, cases, strict=True):
        consent(org, link(org, record), **fields)

    feed = checked(connect).open_feed({})

    assert {one for one, withdrawn in told(records(feed.flagged())).items() if withdrawn} == {
        one for one, refused in expected.items() if refused
    }
    changed = told(records(feed.changed()))
    assert {one: changed[one] for one in expected} == expected


@protected
def test_a_consent_that_begins_or_changes_is_told_by_the_next_window(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, moved: Callable[[], dict[str, str | None]]
) -> None:
    begins, ends, changes = alive(org)[:3]
    now = sandbox.clock.now()
    consent(org, link(org, begins), EffectiveFrom=now + timedelta(seconds=1_230))
    consent(org, link(org, ends), EffectiveTo=now + timedelta(seconds=1_230))
    row = consent(org, link(org, changes))
    cursors = moved()

    org.update_as_user("ContactPointTypeConsent", row, PrivacyConsentStatus="OptIn")
    settle(sandbox)
    flagged = told(records(checked(connect).open_feed(cursors).flagged()))

    assert flagged == {begins: True, ends: False, changes: False}


@protected
def test_a_cursor_from_before_individuals_were_heard_is_no_excuse(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    refuses = alive(org)[0]
    link(org, refuses, HasOptedOutSolicit=True)
    sandbox.clock.advance(600)
    cursor = end(connect().open_feed({}).changed())  # without a preflight nobody knows of Individuals
    sandbox.clock.advance(600)

    feed = checked(connect).open_feed({"Contact": cursor})

    assert told(records(feed.flagged()))[refuses] is True
    list(feed.changed())
    again = checked(connect).open_feed({"Contact": feed.cursor_behind("Contact")})
    assert told(records(again.flagged())) == {}


@protected
def test_rows_of_a_query_job_are_told_as_well(
    connect: Connect, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_read, "WORTH_FROM", 5)
    org.page_size = 5
    refuses, allows, alone = alive(org)[-3:]
    link(org, refuses, ShouldForget=True)
    link(org, allows)

    found = records(checked(connect).open_feed({}).changed())

    assert org.requests["POST /jobs/query"] == 1
    assert [told(found)[one] for one in (refuses, allows, alone)] == [True, False, None]
    assert all("IndividualId" not in record.values for record in found)


@protected
def test_one_that_is_gone_says_nothing(connect: Connect, org: SalesforceOrg) -> None:
    record = alive(org)[0]
    org.delete("Individual", link(org, record, HasOptedOutSolicit=True))

    assert told(checked(connect).fetch("Contact", [record])) == {record: None}


@protected
def test_check_tells_whether_they_are_heard(connect: Connect, org: SalesforceOrg) -> None:
    heard = connect().check(Depth.DOCTOR)
    del org.tables["Individual"]
    deaf = connect().check(Depth.DOCTOR)

    assert [each.level for found in (heard, deaf) for each in found if each.subject == "Individual"] == [
        *(Level.OK, Level.WARNING),
    ]


def test_an_org_without_individuals_pays_nothing_for_them(connect: Connect) -> None:
    crm = checked(connect, BOTH)
    list(crm.open_feed({}).flagged())

    assert crm.calls["describe"] == 2 + 1  # both objects, and the user
    assert crm.calls["opt_outs"] == 1
