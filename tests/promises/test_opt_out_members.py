"""An opt-out among other wishes in one field is heard, and the other wishes are kept."""

from __future__ import annotations

import pytest

from ringfence.sandbox.salesforce.schema import FieldSpec
from testkit.account import Account
from testkit.commands import Cli

PHONE = "+1 415 555 0132"
WISHES = "Wishes__c"


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("people", [0])
def test_raising_a_flag_among_other_members_keeps_them(account: Account, command: Cli) -> None:
    choices = ("vip", "no_calls", "no_email")
    field = FieldSpec(WISHES, "multipicklist", "Wishes", length=255, picklist=choices, custom=True)
    account.sandbox.salesforce.add_field("Contact", field, visible=True)
    flag = f"{{field: {WISHES}, true_values: [no_calls], multiple: true}}"
    objects = f"{{Contact: {{phones: {{Phone: {{}}}}, opt_out: {flag}, region: {{default: US}}}}}}"
    (account.folder / "mapping.yaml").write_text(f"crm: salesforce\nobjects: {objects}\n", encoding="utf-8")
    person, colleague, stranger = account.add(3, phone=PHONE)
    account.edit(stranger, phone="+1 212 555 0199")
    for key, wishes in ((person, "no_email;no_calls"), (colleague, "vip"), (stranger, "vip;no_email")):
        account.set(key, **{WISHES: wishes})

    for _ in range(2):
        result = command("sync", account.crm, "--json", "--mapping", "mapping.yaml")
        assert result.code == 0, result.err
        account.pass_time(minutes=20)

    wishes = [account.rows()[key][WISHES] for key in (person, colleague, stranger)]
    assert wishes == ["no_email;no_calls", "vip;no_calls", "vip;no_email"]
    status = account.companion("status")
    assert [account.rows()[key][status] == "do_not_contact" for key in (person, colleague, stranger)] == [
        True,
        True,
        False,
    ]
