"""Orgs that do not show into what a record was merged or converted: reads leave those fields out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.client import Row, SalesforceClient
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reads import alive, ids, settle

Connect = Callable[..., SalesforceCrm]
PAST = {"MasterRecordId", "ConvertedContactId"}


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch, org: SalesforceOrg) -> None:
    """Leave the fields out of every describe, and refuse each query that names one."""
    describe = SalesforceClient.describe

    def without(self: SalesforceClient, name: str) -> Row:
        told = describe(self, name)
        return {**told, "fields": [each for each in told["fields"] if each["name"] not in PAST]}

    monkeypatch.setattr(SalesforceClient, "describe", without)
    for name in ("Contact", "Lead"):
        fields = org.table(name).spec.fields
        for field in PAST & fields.keys():
            monkeypatch.delitem(fields, field)
    org.forget_access()


@pytest.mark.usefixtures("hidden")
def test_opt_outs_of_deleted_and_converted_records_are_heard_all_the_same(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    contact, lead = alive(org, "Contact")[0], alive(org, "Lead")[0]
    org.update_as_user("Contact", contact, DoNotCall=True)
    org.update_as_user("Lead", lead, DoNotCall=True)
    org.delete("Contact", contact)
    org.table("Lead").rows[lead]["IsConverted"] = True
    settle(sandbox)
    crm = connect(both)
    crm.check()

    gone = ids(page for page in crm.open_feed({}).flagged() if page.gone)

    assert {contact, lead} <= set(gone)


@pytest.mark.usefixtures("hidden")
def test_a_record_that_went_meanwhile_has_no_survivor(connect: Connect, org: SalesforceOrg) -> None:
    gone, kept = alive(org, "Contact")[:2]
    org.delete("Contact", gone)
    crm = connect()
    crm.check()

    assert [record.id for record in crm.fetch("Contact", [gone, kept])] == [kept]
