"""What set-up takes away and makes again is filled by the next sync, and nothing is paid for twice."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.account_view import Rows
from testkit.commands import Cli

pytestmark = pytest.mark.slow


@pytest.fixture
def people() -> int:
    return 30


def differences(before: Rows, after: Rows) -> list[tuple[object, ...]]:
    """Name the values that are not what they were, which says more than two accounts beside each other."""
    return [
        (key, name, before[key].get(name), after[key].get(name))
        for key in before
        for name in sorted({*before[key], *after[key]})
        if before[key].get(name) != after[key].get(name)
    ]


def drop_field(account: Account, name: str) -> None:
    """Delete a field by hand, as an administrator does; what it held is gone."""
    if account.crm == "hubspot":
        portal = account.sandbox.hubspot
        del portal.definitions["contacts"][name]
        for row in portal.stores["contacts"].rows.values():
            row.properties = {known: value for known, value in row.properties.items() if known != name}
            portal.stores["contacts"].index.put(row.id, row.properties, row.modified, at=0)
        return
    org = account.sandbox.salesforce
    for owner in ("Contact", "Lead"):
        org.remove_field(owner, name)
        fields = org.tooling["CustomField"]
        for row in [r for r in fields.scan() if (r["TableEnumOrId"], f"{r['DeveloperName']}__c") == (owner, name)]:
            fields.remove(str(row["Id"]))


def look_everything_up(account: Account, command: Cli) -> None:
    """Look every slot up, those too that have a verdict of the numbering plan; what was put off comes second."""
    assert command("sync", account.crm, "--rescreen", "--yes", "--json").code == 0
    for _ in range(2):  # the second one leaves the cursors behind all that was written
        account.pass_time(minutes=90)
        assert command("sync", account.crm, "--json").code == 0


def test_fields_that_were_taken_away_are_filled_again(account: Account, command: Cli) -> None:
    look_everything_up(account, command)
    before, asked = account.lasting(), dict(account.sandbox.twilio.billed)
    account.pass_time(minutes=90)

    removed = command("setup", account.crm, "--remove", "--yes", "--json")

    assert removed.code == 0
    assert all(count > 5 for count in removed.document["records"].values())
    assert command("check", account.crm, "--json").code == 3
    assert command("sync", account.crm, "--json").code == 3

    assert command("setup", account.crm, "--json").code == 0
    again = command("sync", account.crm, "--json")

    assert again.code == 0
    assert account.unscreened() == []
    assert differences(before, account.lasting()) == []
    assert dict(account.sandbox.twilio.billed) == asked


def test_one_field_that_was_lost_is_filled_again(account: Account, command: Cli) -> None:
    look_everything_up(account, command)
    before = account.lasting()
    account.pass_time(minutes=90)
    drop_field(account, account.companion("status"))

    made = command("setup", account.crm, "--json").document["steps"]

    assert {step["name"].partition(".")[2] for step in made if step["label"]} == {account.companion("status")}
    assert command("sync", account.crm, "--json").code == 0
    assert differences(before, account.lasting()) == []


def test_opt_outs_outlive_the_removal(account: Account, command: Cli) -> None:
    source, sharer = account.add(2, phone="+442079460018")
    account.edit(source, flag=True)
    assert command("sync", account.crm, "--json").code == 0
    assert account.is_flagged(account.rows()[sharer])

    assert command("setup", account.crm, "--remove", "--yes").code == 0
    assert all(account.is_flagged(account.rows()[key]) for key in (source, sharer))

    assert command("setup", account.crm).code == 0
    account.pass_time(minutes=90)
    assert command("sync", account.crm, "--json").code == 0

    rows = account.rows()

    assert {rows[key][account.companion("status")] for key in (source, sharer)} == {"do_not_contact"}
