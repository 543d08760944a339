"""A human's edit is never lost, also when it happens between our read and our write."""

from __future__ import annotations

from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

NATIONAL, TYPED = "(415) 555-0132", "+44 20 7946 0018"
US = {"salesforce": "United States", "hubspot": "United States"}
LAST_READ = {
    # Salesforce takes the write on the condition that nobody changed the row; HubSpot is asked right before it.
    "salesforce": "path: /composite, purpose: write",
    "hubspot": "path: /crm/v3/objects/contacts/batch/read",
}


@pytest.fixture
def people() -> int:
    return 0


def sync(account: Account, command: Cli, *words: str) -> Any:
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result


def edit_at(account: Account, when: str, **values: Any) -> None:
    """Let a person edit six of the records that the next such request names, just before it is carried out."""
    named = ", ".join(f"{account.names[role]}: {value}" for role, value in values.items())
    fault = f"fault: {{kind: edit_rows, among: request, count: 6, values: {{{named}}}}}"
    account.fail(f"service: {account.crm}, when: {{{when}, times: 1}}, {fault}")


def test_an_edit_of_a_phone_field_that_is_being_normalised_is_never_lost(account: Account, command: Cli) -> None:
    mapping = account.map(phone=True, mobile=False)
    keys = account.add(20, phone=NATIONAL, country=US[account.crm])
    account.stamp(keys, seconds_ago=60)
    edit_at(account, LAST_READ[account.crm], phone=f"'{TYPED}'")
    first = sync(account, command, "--mapping", mapping)

    assert (first.total("conflicts"), first.total("written"), first.total("failed")) == (6, 14, 0)

    held = [row[account.names["phone"]] for row in account.live().values()]
    assert sorted(set(held)) == ["+14155550132", TYPED]
    assert held.count(TYPED) == 6

    account.fail()
    second = sync(account, command, "--mapping", mapping)

    assert (second.total("conflicts"), second.total("written")) == (0, 6)
    assert [row[account.names["phone"]] for row in account.live().values()].count("+442079460018") == 6
    assert account.unscreened() == []


def edit_behind_our_back(account: Account, command: Cli, **values: str) -> list[tuple[str, str]]:
    """Sync while a person edits six records between our read and our write; return these records."""
    account.add(20, phone=NATIONAL, country=US[account.crm])
    edit_at(account, f"purpose: write, after: {account.probes}", phone=f"'{TYPED}'", **values)
    sync(account, command)
    account.fail()

    edited = [key for key, row in account.live().items() if row[account.names["phone"]] == TYPED]
    assert len(edited) == 6
    return edited


def test_an_edit_behind_our_back_is_kept_and_screened_in_the_next_run(account: Account, command: Cli) -> None:
    edited = edit_behind_our_back(account, command)

    # What was written is about the old content and says so: nobody takes it for a verdict on the new one.
    assert [key for key, _ in account.unscreened()] == edited

    sync(account, command)

    assert account.unscreened() == []
    assert {account.live()[key][account.names["phone"]] for key in edited} == {TYPED}


def test_an_opt_out_behind_our_back_is_kept_and_heard(account: Account, command: Cli) -> None:
    edited = edit_behind_our_back(account, command, flag="true")

    sync(account, command)

    rows = account.live()
    for key in edited:
        assert rows[key][account.names["phone"]] == TYPED
        assert account.is_flagged(rows[key])
        assert rows[key][account.companion("status")] == "do_not_contact"


def test_an_edit_since_a_plan_was_made_is_never_lost(account: Account, command: Cli) -> None:
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    mapping = account.map(phone=True, mobile=False)
    keys = account.add(12, phone=NATIONAL, country=US[account.crm])
    sync(account, command, "--mapping", mapping, "--dry-run", "--out", "plan.json")
    for key in keys[:4]:
        account.edit(key, phone=TYPED)
    applied = sync(account, command, "--mapping", mapping, "--apply", "plan.json")

    assert (applied.total("written"), applied.total("conflicts")) == (8, 4)
    assert [account.rows()[key][account.names["phone"]] for key in keys[:4]] == [TYPED] * 4
    assert [key for key, _ in account.unscreened()] == keys[:4]
