"""A preview comes before the set-up: without companion fields, and with a token that may only read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

CRMS = ("salesforce", "hubspot")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """CRMs as they are before the set-up."""
    with Sandbox(contacts=60, bare=True) as running:
        running.hubspot.searches.limit = 1000
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


def _counts(document: Any) -> dict[str, tuple[int, int]]:
    return {name: (each["due"], each["written"]) for name, each in document["objects"].items()}


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("crm", CRMS)
def test_the_first_sync_after_the_setup_writes_what_the_preview_said(cli: Cli, crm: str) -> None:
    preview = cli("sync", crm, "--dry-run", "--json")

    assert preview.code == 0, preview.err
    assert preview.document["complete"]
    assert any("not there yet, and so taken as empty" in each for each in preview.document["warnings"])
    assert "not there yet, and so taken as empty" in preview.err

    refused = cli("sync", crm)

    assert refused.code == 3
    assert f"Run `ringfence setup {crm}`" in refused.err

    assert cli("setup", crm, "--yes").code == 0

    first = cli("sync", crm, "--json")

    assert first.code == 0
    assert first.document["warnings"] == []
    assert sum(written for _, written in _counts(first.document).values()) > 0
    assert _counts(first.document) == _counts(preview.document)
    assert first.document["statuses"] == preview.document["statuses"]


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("crm", CRMS)
def test_a_plan_made_before_the_setup_is_applied_after_it(cli: Cli, crm: str) -> None:
    preview = cli("sync", crm, "--dry-run", "--out", "plan.json", "--json")

    assert preview.code == 0, preview.err
    assert cli("sync", crm, "--apply", "plan.json").code == 3
    assert cli("setup", crm, "--yes").code == 0

    applied = cli("sync", crm, "--apply", "plan.json", "--json")

    assert applied.code == 0
    assert applied.document["conflicts_total"] == 0
    written = {name: count["written"] for name, count in applied.document["objects"].items()}
    assert written == {name: count["written"] for name, count in preview.document["objects"].items()}
    assert _counts(cli("sync", crm, "--json").document) == dict.fromkeys(written, (0, 0))


@pytest.mark.parametrize("crm", CRMS)
def test_a_preview_asks_for_nothing_that_only_a_write_needs(cli: Cli, bare: Sandbox, crm: str) -> None:
    bare.hubspot.scopes = {"crm.objects.contacts.read"}
    for table in ("Contact", "Lead"):
        bare.salesforce.tables[table].spec.fixed = True
    bare.salesforce.forget_access()

    preview = cli("sync", crm, "--dry-run", "--json")

    assert preview.code == 0, preview.err
    assert sum(written for _, written in _counts(preview.document).values()) > 0
    assert not {"write", "setup"} & preview.document["api_calls_by_purpose"].keys()
    assert "POST /crm/v3/objects/{objectType}/batch/update" not in bare.hubspot.requests


@pytest.mark.usefixtures("bare")
def test_a_hidden_opt_out_is_told_because_nobody_is_heard_by_it(cli: Cli) -> None:
    preview = cli("sync", "salesforce", "--dry-run", "--json")

    assert preview.code == 0, preview.err
    (warning,) = [each for each in preview.document["warnings"] if "DoNotCall" in each]
    assert "Contact.DoNotCall" in warning
    assert "cannot be read, and so counts as not opted out" in warning


def test_a_plan_made_while_the_opt_out_was_hidden_calls_nobody_who_opted_out(cli: Cli, bare: Sandbox) -> None:
    org = bare.salesforce
    person = next(key for key, row in org.rows("Contact").items() if row["Phone"])
    org.update_as_user("Contact", person, Phone="+1 415 555 2671", MobilePhone=None, DoNotCall=True)

    assert cli("sync", "salesforce", "--dry-run", "--out", "plan.json").code == 0
    assert cli("setup", "salesforce", "--yes").code == 0
    applied = cli("sync", "salesforce", "--apply", "plan.json", "--json").document

    assert person in [row["id"] for row in applied["conflicts"]]
    assert org.rows("Contact")[person]["RF_Phone_Status__c"] is None
    assert cli("sync", "salesforce").code == 0
    assert org.rows("Contact")[person]["RF_Phone_Status__c"] == "do_not_contact"


@pytest.mark.parametrize("crm", CRMS)
def test_some_of_the_fields_may_be_there(cli: Cli, bare: Sandbox, crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("setup", crm, "--yes").code == 0
    contact = bare.salesforce.tables["Contact"].spec.fields
    for name in ("RF_Phone_Last_Screened__c", "RF_MobilePhone_Status__c", "RF_Phone_E164__c"):
        monkeypatch.delitem(contact, name, raising=False)
    bare.salesforce.forget_access()
    for name in ("rf_phone_last_screened", "rf_mobilephone_status", "rf_phone_e164"):
        bare.hubspot.definitions["contacts"].pop(name, None)

    preview = cli("sync", crm, "--dry-run", "--json")

    assert preview.code == 0, preview.err
    assert len(preview.document["warnings"]) == 2
    assert sum(written for _, written in _counts(preview.document).values()) > 0


@pytest.mark.usefixtures("bare")
def test_a_field_of_the_mapping_itself_still_has_to_be_there(cli: Cli) -> None:
    Path("mine.yaml").write_text(
        "crm: hubspot\nobjects:\n  contacts:\n    phones: {telephone: {}}\n    opt_out: {field: rf_do_not_call}\n",
        encoding="utf-8",
    )

    refused = cli("sync", "hubspot", "--dry-run", "--mapping", "mine.yaml")

    assert refused.code == 3
    assert "telephone" in refused.err


@pytest.mark.slow
@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("crm", CRMS)
def test_a_command_of_its_own_previews_too(crm: str, tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("ringfence"), "sync", crm, "--dry-run", "--out", "plan.json", "--json"]

    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"]
    assert (tmp_path / "plan.json").exists()
