"""An opt-out outlives the record on which it was asked for."""

from __future__ import annotations

import pytest

from ringfence.sandbox.salesforce.org import SalesforceOrg
from testkit.account import Account
from testkit.commands import Cli

PHONE, OTHER = "+1 415 555 0132", "+44 20 7946 0018"

pytestmark = [pytest.mark.parametrize("crm", ["salesforce"]), pytest.mark.parametrize("people", [40])]


def sync(account: Account, command: Cli, *words: str) -> None:
    """Run a sync some time after whatever happened before."""
    account.pass_time(minutes=20)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err


def status(account: Account, key: tuple[str, str], role: str = "phone") -> object:
    """Return what the CRM says about a number."""
    return account.rows()[key][account.companion("status", role)]


def add_lead(org: SalesforceOrg) -> str:
    """Return a lead with the number, whom nobody has asked anything yet."""
    lead = next(one for one, row in org.rows("Lead").items() if not row["IsConverted"] and not row["IsDeleted"])
    org.update_as_user("Lead", lead, Phone=PHONE, MobilePhone=None, DoNotCall=False, Country="US")
    return lead


def test_a_lead_flagged_and_converted_between_two_runs_silences_its_contact(account: Account, command: Cli) -> None:
    org, lead = account.sandbox.salesforce, add_lead(account.sandbox.salesforce)
    colleague, became = account.add(1, phone=PHONE)[0], account.add(1, phone=OTHER)[0]
    sync(account, command)

    org.update_as_user("Lead", lead, DoNotCall=True)
    org.convert_lead(lead, became[1])
    sync(account, command)

    assert status(account, colleague) == "do_not_contact"
    assert status(account, became) == "do_not_contact"


@pytest.mark.parametrize("known", [True, False])
def test_a_lead_converted_long_ago_is_heard_by_a_full_read(account: Account, command: Cli, known: bool) -> None:
    org, lead = account.sandbox.salesforce, add_lead(account.sandbox.salesforce)
    colleague = account.add(1, phone=PHONE)[0]
    if known:
        sync(account, command)
    org.update_as_user("Lead", lead, DoNotCall=True)
    org.convert_lead(lead, account.add(1)[0][1])

    sync(account, command, "--full")

    assert status(account, colleague) == "do_not_contact"
    assert org.rows("Lead")[lead]["RF_Phone_Status__c"] != "do_not_contact"


def test_a_record_flagged_and_deleted_between_two_runs_is_heard(account: Account, command: Cli) -> None:
    person, colleague = account.add(2, phone=PHONE)
    sync(account, command)

    account.edit(person, flag=True)
    account.sandbox.salesforce.delete(*person)
    sync(account, command)

    assert status(account, colleague) == "do_not_contact"

    sync(account, command, "--full")

    assert status(account, colleague) == "do_not_contact"
