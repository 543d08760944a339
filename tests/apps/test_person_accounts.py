"""Person accounts beside contacts: set up, synced, and silenced by the flags that are mapped on either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.server import Sandbox

from .conftest import Cli

MAPPING = """
crm: salesforce
objects:
  Account:
    phones: {PersonMobilePhone: {}}
    opt_out: {field: PersonDoNotCall, true_values: [true]}
    filter: "IsPersonAccount = true"
  Contact:
    phones: {Phone: {}}
    opt_out:
      - {field: DoNotCall, true_values: [true], channel: voice}
      - {field: HasOptedOutOfFax, true_values: [true]}
"""
LINE = "+1 415 555 0132"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=12, org=parse_org("salesforce: {person_accounts: true}", "test")) as running:
        yield running


def test_flags_of_persons_and_contacts_reach_each_other(
    cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("salesforce.yaml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(Path.cwd()))
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", "[]")
    org = sandbox.salesforce
    person = min(one for one, row in org.rows("Account").items() if row["IsPersonAccount"])
    contact = min(one for one, row in org.rows("Contact").items() if not row["IsPersonAccount"])
    org.update_as_user("Account", person, PersonMobilePhone=LINE, PersonDoNotCall=True)
    org.update_as_user("Contact", contact, Phone=LINE, DoNotCall=False, HasOptedOutOfFax=False)

    made = cli("setup", "salesforce", "--yes", "--json")
    synced = cli("sync", "salesforce", "--yes", "--json")

    assert (made.code, synced.code) == (0, 0), (made.out, synced.out, made.err, synced.err)
    assert org.rows("Account")[person]["RF_PersonMobilePhone_Status__c"] == "do_not_contact"
    flags = org.rows("Contact")[contact]
    assert (flags["DoNotCall"], flags["HasOptedOutOfFax"]) == (True, True)
    assert flags["RF_Phone_Status__c"] == "do_not_contact"
