"""The doctor asks the org's Consent API about some records that we hold callable, and names where it says no."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.ports.crm import Depth, Finding, Level
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg

from .conftest import BOTH

Connect = Callable[..., SalesforceCrm]
ORG = parse_org("salesforce: {data_protection: true}", "test")
DENIED = parse_org("salesforce: {data_protection: true, privacy_data: false}", "test")

ASKED = "GET /consent/action/{action}"

protected = pytest.mark.parametrize("sandbox", [{"contacts": 30, "org": ORG}], indirect=True)


def told(crm: SalesforceCrm) -> list[Finding]:
    return [each for each in crm.check(Depth.DOCTOR) if "Consent API" in f"{each.subject} {each.message}"]


def silence(org: SalesforceOrg) -> None:
    """Let nothing of the seeded verdicts stand, so that a test knows which records are held callable."""
    for name in ("Contact", "Lead"):
        for row_id in org.rows(name):
            org.update_as_user(name, row_id, RF_Phone_Status__c=None, RF_MobilePhone_Status__c=None, DoNotCall=False)


def held(org: SalesforceOrg, count: int, name: str = "Contact", **fields: str | bool) -> list[str]:
    """Hold some records callable and return their ids."""
    ids = [row_id for row_id, row in org.rows(name).items() if row["IsConverted"] is not True][:count]
    for row_id in ids:
        org.update_as_user(name, row_id, RF_Phone_Status__c="valid", **fields)
    return ids


def consent(org: SalesforceOrg, record: str, status: str = "OptOut") -> str:
    one = org.create_as_user("Individual", LastName="Doe")
    org.update_as_user("Contact", record, IndividualId=one)
    told = {"ContactPointType": "Phone", "PrivacyConsentStatus": status}
    org.create_as_user("ContactPointTypeConsent", PartyId=one, CaptureSource="web", **told)
    return one


@protected
def test_records_that_the_org_refuses_are_named(connect: Connect, org: SalesforceOrg) -> None:
    silence(org)
    refused, allowed, flagged = held(org, 3)
    consent(org, refused)
    consent(org, allowed, "OptIn")
    # The flag is up on a lead that the same Individual links, which no number tells.
    one = org.create_as_user("Individual", LastName="Roe")
    org.update_as_user("Contact", flagged, IndividualId=one)
    lead = next(row_id for row_id, row in org.rows("Lead").items() if row["IsConverted"] is not True)
    org.update_as_user("Lead", lead, IndividualId=one, DoNotCall=True)
    crm = connect(BOTH)

    (finding,) = told(crm)

    assert (finding.level, finding.subject) == (Level.WARNING, "Contact")
    assert "2 of 3 records" in finding.message
    assert refused in finding.message
    assert flagged in finding.message
    assert allowed not in finding.message


@protected
def test_it_takes_two_calls_whatever_the_mapping(connect: Connect, org: SalesforceOrg) -> None:
    silence(org)
    held(org, 5)
    held(org, 5, "Lead")
    before = org.requests.copy()

    assert [each.level for each in told(connect(BOTH))] == [Level.OK]

    made = org.requests - before
    assert (made[ASKED], made["POST /composite"]) == (1, 1)


@protected
def test_many_refusals_are_named_by_a_few(connect: Connect, org: SalesforceOrg) -> None:
    silence(org)
    for record in held(org, 8):
        consent(org, record)

    (finding,) = told(connect())

    assert finding.message.endswith("and 3 more.")
    assert "8 of 8 records" in finding.message


@protected
def test_where_nothing_is_held_callable_nothing_is_asked(connect: Connect, org: SalesforceOrg) -> None:
    silence(org)

    assert told(connect()) == []
    assert org.requests[ASKED] == 0


@pytest.mark.parametrize("sandbox", [{"contacts": 30, "org": DENIED}], indirect=True)
def test_a_user_that_may_not_ask_is_told_and_nothing_else_suffers(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect()

    (finding,) = told(crm)

    assert finding.level is Level.UNKNOWN
    assert "could not be asked" in finding.message
    assert "Allow User Access to Privacy Data" in finding.remedy
    assert all(each.level is not Level.PROBLEM for each in crm.check(Depth.DOCTOR))


def test_an_org_without_individuals_is_not_asked(connect: Connect, org: SalesforceOrg) -> None:
    assert told(connect(BOTH)) == []
    assert org.requests[ASKED] == 0


@protected
def test_a_sync_never_asks(connect: Connect, org: SalesforceOrg) -> None:
    connect().check(Depth.SYNC)
    connect().check(Depth.PREVIEW)

    assert org.requests[ASKED] == 0
