"""Setup makes an org ready, whatever an earlier run has left, and can be had as a project to deploy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import FileError, MappingError, SchemaError
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Level
from ringfence.sandbox.salesforce.org import SalesforceOrg

Connect = Callable[..., SalesforceCrm]
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
BARE = pytest.mark.parametrize("sandbox", [{"contacts": 4, "bare": True}], indirect=True)


def run(crm: SalesforceCrm) -> Counter[str]:
    steps = crm.plan_setup()
    assert list(crm.apply_setup(steps)) == steps
    return Counter(step.kind for step in steps)


def is_ready(crm: SalesforceCrm) -> bool:
    return crm.plan_setup() == [] and not [finding for finding in crm.check() if finding.level is Level.PROBLEM]


@BARE
def test_an_org_without_fields_becomes_ready(connect: Connect, both: str, org: SalesforceOrg) -> None:
    crm = connect(both)

    assert not is_ready(crm)

    made = run(crm)

    # MobilePhone of Contact is normalised by the mapping, so it is granted beside the companions and the flags.
    assert made == {"custom field": 24, "permission set": 1, "field permission": 24 + 2 + 1, "assignment": 1}
    assert is_ready(crm)
    assert is_ready(connect(both))

    fields = org.table("Contact").spec.fields

    status = fields["RF_Phone_Status__c"]

    assert (status.type, status.restricted, status.picklist) == ("picklist", False, tuple(Status))

    lengths = {name: fields[f"RF_Phone_{name}__c"].length for name in ("Reason", "E164", "Line_Type", "Screened_Value")}

    assert lengths == {"Reason": 255, "E164": 16, "Line_Type": 20, "Screened_Value": 80}
    assert fields["RF_Phone_Last_Screened__c"].type == "datetime"
    assert crm.calls["setup"] > 50


@BARE
@pytest.mark.parametrize("done", [1, 11, 12, 13, 20, 26, 27])
def test_a_run_that_broke_off_is_completed(connect: Connect, done: int, org: SalesforceOrg) -> None:
    crm = connect()
    steps = crm.plan_setup()
    applying = crm.apply_setup(steps)

    for _ in range(done):
        next(applying)

    applying.close()

    rest = connect()

    assert len(rest.plan_setup()) == len(steps) - done

    run(rest)

    assert is_ready(rest)


@BARE
def test_two_runs_at_once_end_well(connect: Connect) -> None:
    first, second = connect(), connect()

    steps, same = first.plan_setup(), second.plan_setup()

    assert list(first.apply_setup(steps)) == steps
    assert list(second.apply_setup(same)) == same
    assert is_ready(first)


@pytest.mark.parametrize("hide", [True, False])
def test_fields_that_are_there_but_not_editable_are_granted(connect: Connect, org: SalesforceOrg, hide: bool) -> None:
    restrict = org.hide_field if hide else org.make_readonly
    for name in ("RF_Phone_Status__c", "DoNotCall"):
        restrict("Contact", name)

    crm = connect()

    assert "custom field" not in run(crm)
    assert is_ready(crm)


def test_a_grant_that_only_reads_is_raised(connect: Connect, org: SalesforceOrg) -> None:
    org.make_readonly("Contact", "DoNotCall")
    run(connect())
    org.make_readonly("Contact", "DoNotCall")
    crm = connect()

    (step,) = crm.plan_setup()

    assert step.name == "Contact.DoNotCall"

    run(crm)

    assert is_ready(crm)


def test_nothing_to_do_asks_nothing(crm: SalesforceCrm) -> None:
    assert crm.plan_setup() == []
    assert crm.calls == {"describe": 1}


def test_a_standard_field_cannot_be_created(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: PhoneStatus}}}\n"

    with pytest.raises(SchemaError, match=r"Contact\.PhoneStatus.*only custom fields"):
        connect(text).plan_setup()


@BARE
def test_a_refused_step_is_named(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: RF__Status__c}}}\n"
    crm = connect(text)

    with pytest.raises(SchemaError, match=r"custom field Contact\.RF__Status__c was not created.*consecutive"):
        list(crm.apply_setup(crm.plan_setup()))


def test_the_project_holds_what_setup_makes(connect: Connect, both: str, tmp_path: Path) -> None:
    crm = connect(both)

    files = crm.emit_setup(tmp_path / "new")

    assert sorted(files) == sorted(path for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert crm.calls == {}

    project = json.loads((tmp_path / "new" / "sfdx-project.json").read_text())

    assert project["sourceApiVersion"] == "65.0"

    root = tmp_path / "new" / project["packageDirectories"][0]["path"] / "main" / "default"
    names = {path.name.removesuffix(".field-meta.xml") for path in (root / "objects/Contact/fields").iterdir()}

    assert names == {plugin.companion_name(slot, one) for slot in ("Phone", "MobilePhone") for one in Companion}

    status = ET.parse(root / "objects/Lead/fields/RF_Phone_Status__c.field-meta.xml").getroot()

    assert status.tag == f"{NAMESPACE}CustomField"
    assert status.findtext(f"{NAMESPACE}fullName") == "RF_Phone_Status__c"
    assert [one.text for one in status.iterfind(f".//{NAMESPACE}value/{NAMESPACE}fullName")] == list(Status)

    grants = ET.parse(root / "permissionsets/RF_Ringfence.permissionset-meta.xml").getroot()

    granted = {one.findtext(f"{NAMESPACE}field") for one in grants.iterfind(f"{NAMESPACE}fieldPermissions")}

    assert {"Contact.DoNotCall", "Lead.RF_MobilePhone_Status__c", "Contact.MobilePhone"} <= granted
    assert "Contact.Phone" not in granted


def test_the_project_overwrites_no_file_of_others(crm: SalesforceCrm, tmp_path: Path) -> None:
    crm.emit_setup(tmp_path)
    crm.emit_setup(tmp_path)
    mine = tmp_path / "sfdx-project.json"
    mine.write_text("{}")

    with pytest.raises(FileError, match=r"sfdx-project\.json"):
        crm.emit_setup(tmp_path)

    assert mine.read_text() == "{}"


@pytest.mark.parametrize(
    ("slot", "companion", "name"),
    [
        ("Phone", Companion.STATUS, "RF_Phone_Status__c"),
        ("MobilePhone", Companion.LAST_SCREENED, "RF_MobilePhone_Last_Screened__c"),
        ("Home_Phone__c", Companion.STATUS, "RF_Home_Phone_Status__c"),
        ("acme__Direct__c", Companion.E164, "RF_acme_Direct_E164__c"),
    ],
)
def test_companions_are_named_after_the_slot(slot: str, companion: Companion, name: str) -> None:
    assert plugin.companion_name(slot, companion) == name


def test_a_name_that_is_too_long_is_refused_with_the_way_out() -> None:
    longest = "A" * 22

    assert len(plugin.companion_name(longest, Companion.SCREENED_VALUE)) == 40 + len("__c")

    with pytest.raises(MappingError, match=r"1 characters too long.*companions: \{screened_value: "):
        plugin.companion_name(longest + "A", Companion.SCREENED_VALUE)
