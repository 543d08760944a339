"""The CRM is the source of truth: with the state gone, nothing fresh is paid for again and nothing is rewritten."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli


@pytest.mark.both_engines
def test_the_crm_is_the_source_of_truth_when_the_state_is_gone(account: Account, command: Cli) -> None:
    first = command("sync", account.crm, "--json")
    assert first.code == 0

    asked = dict(account.sandbox.twilio.billed)
    held = next(
        row[account.companion("e164")]
        for row in account.live().values()
        if row.get(account.companion("status")) == "active"
    )
    before, stamps = account.lasting(), account.everything()
    account.lose_state()
    account.pass_time(minutes=3)
    lost = command("sync", account.crm, "--json")

    assert (lost.code, lost.document["lookups"], lost.total("written")) == (0, 0, 0)
    assert lost.total("read") == first.total("read")
    assert account.everything() == stamps

    account.lose_state()
    # A second record with a number that the CRM knows: its verdict is taken over, and only this record is written.
    (key,) = account.add(1, phone=held)
    account.pass_time(minutes=3)
    again = command("sync", account.crm, "--json")

    assert (again.code, again.document["lookups"], again.total("written")) == (0, 0, 1)
    assert account.rows()[key][account.companion("status")] == "active"
    assert {other: row for other, row in account.lasting().items() if other != key} == before
    assert dict(account.sandbox.twilio.billed) == asked


def test_the_crm_is_the_source_of_truth_when_the_state_is_lost_half_way(account: Account, command: Cli) -> None:
    assert command("sync", account.crm, "--limit", "150", "--json").code == 0
    account.lose_state()
    account.pass_time(minutes=3)
    assert command("sync", account.crm, "--json").code == 0
    assert max(account.sandbox.twilio.billed.values()) == 1
    assert account.unscreened() == []
