"""``setup``: what it shows, what it asks, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ringfence.apps.operations.workflow_outputs import STATE, succeed
from ringfence.core.clock import SystemClock
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.leases import Holder, take_lease
from ringfence.core.state.store import open_store
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.server import Sandbox
from testkit.account_view import NAMES

from .conftest import Cli

CRMS = sorted(NAMES)
WORDS = {"salesforce": ("Mobile Phone Status", "Picklist"), "hubspot": ("Mobile phone status", "enumeration")}
USED = """
salesforce: {fields_in_use: {Contact.RF_Phone_Status__c: Flow - Call list}}
hubspot: {properties_in_use: {rf_phone_status: the workflow Call list}}
"""


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give accounts in which something uses the status."""
    with Sandbox(contacts=10, org=parse_org(USED, "test")) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(contacts=10, bare=True) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("crm", CRMS)
def test_the_project_needs_neither_credentials_nor_a_network(cli: Cli, crm: str) -> None:
    result = cli("setup", crm, "--emit", "project", "--json")

    assert result.code == 0
    assert result.document["files"][0] == "project/README.md"
    assert all(Path(name).is_file() for name in result.document["files"])
    assert cli("setup", crm, "--emit", "project").code == 0
    assert not Path("ringfence.db").exists()


def test_the_project_registers_the_api_of_the_service_itself(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_SERVE__PUBLIC_URL", "https://phones.example.com")
    api = cli("openapi", "--openapi-version", "3.0").document

    assert cli("setup", "salesforce", "--emit", "project").code == 0

    root = Path("project/force-app/main/default")
    registered = ElementTree.parse(root / "externalServiceRegistrations/Ringfence.externalServiceRegistration-meta.xml")
    flow = ElementTree.parse(root / "flows/RF_Check_Phone.flow-meta.xml")
    space = "{http://soap.sforce.com/2006/04/metadata}"
    check = api["paths"]["/v1/check"]["post"]
    schemas = api["components"]["schemas"]
    answer = check["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    told = {reference.text.partition(".")[2] for reference in flow.iter(f"{space}leftValueReference")} - {""}

    assert json.loads(registered.findtext(f"{space}schema") or "") == api
    assert flow.findtext(f"{space}actionCalls/{space}actionName") == f"Ringfence.{check['operationId']}"
    assert {"callable", "suggestion"} <= told <= set(schemas[answer]["properties"])
    assert f"ExternalService__Ringfence_{answer}" in [each.text for each in flow.iter(f"{space}apexClass")]


def test_the_actions_of_the_project_have_the_outputs_of_the_service(cli: Cli) -> None:
    assert cli("setup", "hubspot", "--emit", "project").code == 0

    answered = succeed({"status": "valid", "callable": True})
    for name in ("screen", "check-opt-out"):
        text = Path(f"project/src/app/workflow-actions/{name}-hsmeta.json").read_text(encoding="utf-8")
        outputs = [field["typeDefinition"]["name"] for field in json.loads(text)["config"]["outputFields"]]

        assert {STATE, *outputs} == set(answered)


def test_the_project_follows_the_mapping_that_is_named(cli: Cli) -> None:
    Path("mine.yaml").write_text("crm: salesforce\nobjects:\n  Account:\n    phones: {Fax: {}}\n", encoding="utf-8")

    assert cli("setup", "salesforce", "--emit", "project", "--mapping", "mine.yaml").code == 0

    fields = Path("project/force-app/main/default/objects/Account/fields")

    assert (fields / "RF_Fax_Status__c.field-meta.xml").is_file()
    assert not (fields.parents[1] / "Contact").exists()


def test_a_folder_of_others_is_left_alone(cli: Cli) -> None:
    Path("project").mkdir()
    Path("project/mine.txt").write_text("mine")

    result = cli("setup", "salesforce", "--emit", "project")

    assert result.code == 2
    assert "not empty" in result.err
    assert [path.name for path in Path("project").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "words", [("--emit", "x", "--remove"), ("--with-opt-outs",), ("--emit", "x", "--dry-run")], ids=" ".join
)
def test_what_does_not_fit_together_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli("setup", "salesforce", *words).code == 2
    assert not Path("x").exists()


@pytest.mark.parametrize("crm", CRMS)
def test_a_preview_shows_labels_and_types_at_80_columns(
    cli: Cli, bare: Sandbox, crm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    shown = cli("setup", crm, "--dry-run").out

    assert max(map(len, shown.splitlines())) <= 80
    label, kind = WORDS[crm]

    assert any(label in line and kind in line for line in shown.splitlines())
    assert cli("check", crm).code == 3


@pytest.mark.parametrize("crm", CRMS)
def test_the_way_back_shows_what_goes_and_asks(cli: Cli, sandbox: Sandbox, settings: object, crm: str) -> None:
    preview = cli("setup", crm, "--remove", "--dry-run")

    assert preview.code == 0
    assert "records hold something in these fields" in preview.out
    assert f"{NAMES[crm]['flag']}: it holds people's opt-outs." in preview.out

    refused = cli("setup", crm, "--remove")

    assert refused.code == 2
    assert "--yes" in refused.err
    assert cli("check", crm).code == 0

    done = cli("setup", crm, "--remove", "--yes", "--json")

    assert (done.code, done.document["refused"], done.document["removed"]) == (0, 0, True)
    assert cli("check", crm).code == 3
    assert cli("setup", crm, "--remove", "--yes", "--json").document["steps"] == []


@pytest.mark.parametrize("crm", CRMS)
def test_a_field_in_use_is_told_in_the_crms_words_and_the_rest_goes(cli: Cli, used: Sandbox, crm: str) -> None:
    result = cli("setup", crm, "--remove", "--yes")

    assert result.code == 3
    assert "Call list" in result.out
    assert "1 of " in result.err

    left = cli("setup", crm, "--remove", "--yes", "--json")

    assert left.code == 3
    assert [bool(step["refused"]) for step in left.document["steps"]] == [True]


@pytest.mark.parametrize("words", [("setup", "hubspot", "--remove", "--yes"), ("setup", "hubspot")], ids=" ".join)
def test_set_up_keeps_out_of_a_run(cli: Cli, sandbox: Sandbox, settings: object, words: tuple[str, ...]) -> None:
    assert cli("sync", "hubspot", "--limit", "1").code == 0
    if "--remove" not in words:
        del sandbox.hubspot.definitions["contacts"]["rf_phone_reason"]

    store = open_store("sqlite:///ringfence.db")
    org = Org("hubspot", str(sandbox.hubspot.portal_id), "portal", production=False)
    elsewhere = Holder("another machine", 1, "")
    lease = take_lease(store, register_org(store, org), "run-1", SystemClock().now(), elsewhere)

    assert cli(*words).code == 4

    lease.release()
    store.close()

    assert cli(*words).code == 0


def test_what_a_mapping_says_wrongly_needs_no_credentials_to_be_told(cli: Cli) -> None:
    Path("mine.yaml").write_text("crm: hubspot\nobjects:\n  contacts:\n    phonse: {}\n", encoding="utf-8")

    result = cli("setup", "hubspot", "--emit", "project", "--mapping", "mine.yaml", "--json")

    assert result.code == 2
    assert "phonse" in json.dumps(result.document)


def test_a_portal_without_room_is_told_before_anything_is_created(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(contacts=10, bare=True, org=parse_org("hubspot: {custom_properties: 10}", "test")) as small:
        for name, value in small.settings().items():
            monkeypatch.setenv(name, value)

        for words in (("--dry-run",), ()):
            result = cli("setup", "hubspot", *words)

            assert result.code == 3
            assert "13 custom properties are needed, and the portal has room for 10 more on contacts" in result.err
        assert "rf_phone_status" not in small.hubspot.definitions["contacts"]


def test_a_token_without_the_users_details_sets_up_all_the_same(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    org = parse_org("salesforce: {userinfo: forbidden}", "test")
    with Sandbox(contacts=10, bare=True, org=org) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)

        assert cli("setup", "salesforce").code == 0
        assert cli("check", "salesforce").code == 0


def test_a_lost_field_that_makes_nothing_due_is_told_when_it_will_be_filled(
    cli: Cli, sandbox: Sandbox, settings: object
) -> None:
    for name in ("rf_phone_reason", "rf_mobilephone_status", "rf_mobilephone_reason"):
        del sandbox.hubspot.definitions["contacts"][name]

    (remark,) = cli("setup", "hubspot", "--dry-run", "--json").document["remarks"]

    # The lost status makes its slot due, which fills the reason beside it.
    assert remark.startswith("contacts.rf_phone_reason: filled as the verdicts beside it age")
