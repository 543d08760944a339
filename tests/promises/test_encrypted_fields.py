"""Fields that the org keeps out of conditions cost calls, and no run."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli

PHONE = "+1 415 555 0132"


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("people", [40])
def test_encrypted_phones_are_screened_and_opt_outs_on_them_spread(account: Account, command: Cli) -> None:
    org = account.sandbox.salesforce
    for name in ("Contact", "Lead"):
        org.encrypt_field(name, "Phone")
    person, colleague = account.add(2, phone=PHONE)

    for _ in range(2):
        account.pass_time(minutes=20)
        assert command("sync", account.crm, "--json").code == 0
    assert account.unscreened() == []

    account.edit(person, flag=True)
    assert command("sync", account.crm, "--json").code == 0

    status = account.companion("status")
    assert [account.rows()[key][status] for key in (person, colleague)] == ["do_not_contact"] * 2
