"""Person accounts are handled as accounts where accounts are mapped so, and as contacts where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Change, Outcome
from ringfence.core.ports.crm import Depth, Finding, Level, Page
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.schema import FieldSpec
from ringfence.sandbox.server import Sandbox

from .conftest import CONTACTS

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_PersonMobilePhone_Status__c"
ACCOUNTS = """
  Account:
    phones: {PersonMobilePhone: {}}
    region: {field: PersonMailingCountry}
    filter: "IsPersonAccount = true"
"""
FLAG = "    opt_out: {field: PersonDoNotCall, true_values: [true]}\n"
ORG = parse_org("salesforce: {person_accounts: true}", "test")

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 30, "org": ORG}], indirect=True)


@pytest.fixture(autouse=True)
def _companions(org: SalesforceOrg) -> None:
    for name, field in list(org.tables["Contact"].spec.fields.items()):
        if name.startswith("RF_MobilePhone_"):
            of_account = FieldSpec(
                name.replace("RF_", "RF_Person"),
                field.type,
                field.label,
                field.length,
                picklist=field.picklist,
                custom=True,
            )
            org.add_field("Account", of_account, visible=True)


def persons(org: SalesforceOrg, name: str = "Contact") -> set[str]:
    return {one for one, row in org.rows(name).items() if row["IsPersonAccount"]}


def ids(pages: Iterable[Page], name: str = "Contact") -> set[str]:
    return {record.id for page in pages if page.object == name for record in page.records}


def told(crm: SalesforceCrm) -> Finding:
    (found,) = [each for each in crm.check(Depth.DOCTOR) if each.subject == "Contact.IsPersonAccount"]
    return found


def checked(connect: Connect, mapping: str) -> SalesforceCrm:
    crm = connect(mapping)
    crm.check()
    return crm


def test_their_contacts_are_left_out_and_their_accounts_are_read(connect: Connect, org: SalesforceOrg) -> None:
    crm = checked(connect, CONTACTS + ACCOUNTS + FLAG)
    pages = list(crm.open_feed({}).changed())

    assert ids(pages) == set(org.rows("Contact")) - persons(org)
    assert {r.id for p in pages for r in p.records if p.object == "Account" and r.in_scope} == persons(org, "Account")
    assert not {record.id for record in crm.fetch("Contact", sorted(persons(org)))}


def test_what_a_person_asks_for_is_heard_once(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    account = min(persons(org, "Account"))
    contact = str(org.rows("Account")[account]["PersonContactId"])
    org.update_as_user("Account", account, PersonDoNotCall=True)

    assert org.rows("Contact")[contact]["DoNotCall"] is True

    pages = list(checked(connect, CONTACTS + ACCOUNTS + FLAG).open_feed({}).flagged())

    assert account in ids(pages, "Account")
    assert contact not in ids(pages)

    without = list(checked(connect, CONTACTS + ACCOUNTS).open_feed({}).flagged())

    assert contact in ids(page for page in without if page.gone)


def test_without_a_mapping_of_accounts_they_are_contacts(connect: Connect, org: SalesforceOrg) -> None:
    crm = checked(connect, CONTACTS)

    assert ids(crm.open_feed({}).changed()) == set(org.rows("Contact"))
    assert [each.level for each in crm.check(Depth.DOCTOR) if each.subject == "Contact.IsPersonAccount"] == [
        Level.WARNING
    ]


def test_check_asks_for_the_flag_of_accounts(connect: Connect) -> None:
    missing, whole = told(connect(CONTACTS + ACCOUNTS)), told(connect(CONTACTS + ACCOUNTS + FLAG))

    assert (missing.level, whole.level) == (Level.WARNING, Level.OK)
    assert "PersonDoNotCall" in missing.remedy


def test_they_are_written_as_accounts(connect: Connect, org: SalesforceOrg) -> None:
    account = min(persons(org, "Account"))
    contact = str(org.rows("Account")[account]["PersonContactId"])
    flag = Change("Account", account, ("PersonDoNotCall", STATUS), (False, None), (True, "valid"))
    refused = Change("Contact", contact, ("DoNotCall",), (False,), (True,))

    written, kept = checked(connect, CONTACTS + ACCOUNTS + FLAG).write([flag, refused])

    assert (written.outcome, kept.outcome) == (Outcome.WRITTEN, Outcome.REFUSED)
    assert org.rows("Contact")[contact]["DoNotCall"] is True


def test_due_persons_come_as_accounts(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    crm = checked(connect, CONTACTS + ACCOUNTS + FLAG)
    cursors = {page.object: page.cursor for page in crm.open_feed({}).changed() if page.cursor}
    sandbox.clock.advance(600)
    feed = crm.open_feed(cursors)
    pages = list(feed.due(datetime(2020, 1, 1, tzinfo=UTC)))

    assert not ids(pages) & persons(org)
    assert ids(pages, "Account") <= persons(org, "Account")
    assert ids(pages, "Account")
