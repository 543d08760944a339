"""The project that an administrator deploys: source format, with what set-up makes and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.ports.service_address import ServiceAddress

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
ROOT = "force-app/main/default"
EDIT = f"{ROOT}/permissionsets/RF_Ringfence.permissionset-meta.xml"
READ = f"{ROOT}/permissionsets/RF_Ringfence_Read.permissionset-meta.xml"

Files = Mapping[str, str]


@pytest.fixture
def files(shapes: Callable[..., Mapping[str, ObjectShape]], both: str) -> Files:
    return plugin.project(SalesforceSettings(), shapes(both), ServiceAddress())


def parse(text: str, kind: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == f"{NAMESPACE}{kind}"
    return root


def texts(root: ET.Element, path: str) -> list[str]:
    return [one.text or "" for one in root.iterfind("/".join(f"{NAMESPACE}{part}" for part in path.split("/")))]


def members(text: str) -> dict[str, list[str]]:
    root = parse(text, "Package")
    return {texts(types, "name")[0]: texts(types, "members") for types in root.iterfind(f"{NAMESPACE}types")}


def granted(text: str) -> dict[str, tuple[str, str]]:
    rows = parse(text, "PermissionSet").iterfind(f"{NAMESPACE}fieldPermissions")
    return {texts(row, "field")[0]: (texts(row, "readable")[0], texts(row, "editable")[0]) for row in rows}


def test_every_companion_is_a_field_with_label_help_and_description(files: Files) -> None:
    names = {plugin.companion_name(slot, one) for slot in ("Phone", "MobilePhone") for one in Companion}
    below = f"{ROOT}/objects/Lead/fields/"
    fields = {name.removeprefix(below).removesuffix(".field-meta.xml"): name for name in files if below in name}

    assert set(fields) == names

    for name, file in fields.items():
        root = parse(files[file], "CustomField")

        assert texts(root, "fullName") == [name]
        assert len(texts(root, "label")[0]) <= 40
        assert 0 < len(texts(root, "inlineHelpText")[0]) <= 510
        assert 0 < len(texts(root, "description")[0]) <= 1000
        # As the Metadata API itself orders what it retrieves.
        tags = [child.tag.removeprefix(NAMESPACE) for child in root]

        assert tags == ["fullName", *sorted(tags[1:])]


def test_the_status_is_an_open_picklist_that_people_can_read(files: Files) -> None:
    root = parse(files[f"{ROOT}/objects/Contact/fields/RF_Phone_Status__c.field-meta.xml"], "CustomField")
    values = "valueSet/valueSetDefinition/value"

    assert texts(root, "valueSet/restricted") == ["false"]
    assert texts(root, f"{values}/fullName") == list(Status)
    assert texts(root, f"{values}/label")[:2] == ["Do not contact", "Wrong person"]


def test_one_permission_set_lets_the_integration_write_and_one_lets_people_see(files: Files) -> None:
    edit, read = granted(files[EDIT]), granted(files[READ])

    assert set(edit.values()) == {("true", "true")}
    assert set(read.values()) == {("true", "false")}
    assert {"Contact.DoNotCall", "Lead.RF_MobilePhone_Status__c", "Contact.MobilePhone"} <= set(edit)
    assert "Contact.Phone" not in edit
    assert set(read) == set(edit) - {"Contact.MobilePhone"}


def test_a_list_view_holds_who_must_not_be_called(files: Files) -> None:
    root = parse(files[f"{ROOT}/objects/Contact/listViews/RF_Phones_Not_Callable.listView-meta.xml"], "ListView")

    assert texts(root, "booleanFilter") == ["1 OR 2"]
    assert texts(root, "filters/field") == ["RF_Phone_Status__c", "RF_MobilePhone_Status__c"]
    assert set(texts(root, "filters/value")) == {",".join(one for one in Status if one not in CALLABLE)}
    assert texts(root, "columns")[:2] == ["FULL_NAME", "ACCOUNT.NAME"]


def test_an_object_with_unknown_columns_has_no_list_view(shapes: Callable[..., Mapping[str, ObjectShape]]) -> None:
    text = "crm: salesforce\nobjects:\n  Campaign:\n    phones: {Home_Phone__c: {}}\n"

    files = plugin.project(SalesforceSettings(), shapes(text), ServiceAddress())

    assert not [name for name in files if "listViews" in name]
    assert "ListView" not in members(files["manifest/package.xml"])


def test_the_manifests_deploy_all_of_it_and_take_all_of_it_away(files: Files) -> None:
    there, gone = members(files["manifest/package.xml"]), members(files["manifest/destructiveChanges.xml"])

    apart = ["RF_Ringfence_Individuals"]

    assert {**there, "PermissionSet": sorted([*there["PermissionSet"], *apart])} == gone
    assert list(there) == ["CustomField", "ListView", "PermissionSet"]
    assert sum(map(len, there.values())) + len(apart) == sum(name.endswith("-meta.xml") for name in files)
    assert "Contact.DoNotCall" not in gone["CustomField"]
    assert members(files["manifest/nothing.xml"]) == {}
    assert json.loads(files["sfdx-project.json"])["sourceApiVersion"] == "65.0"


def test_a_field_that_the_mapping_names_itself_is_never_taken_away(
    shapes: Callable[..., Mapping[str, ObjectShape]],
) -> None:
    text = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: My_Status__c}}}\n"

    files = plugin.project(SalesforceSettings(), shapes(text), ServiceAddress())

    assert "Contact.My_Status__c" in members(files["manifest/package.xml"])["CustomField"]
    assert "Contact.My_Status__c" not in members(files["manifest/destructiveChanges.xml"])["CustomField"]
    assert "`Contact.My_Status__c`" in files["README.md"]


def test_the_page_inside_has_the_commands_sandbox_first(files: Files) -> None:
    page = files["README.md"]
    commands = ["project deploy start", "org assign permset", "project deploy validate", "--post-destructive-changes"]
    places = [page.index(command) for command in commands]

    assert places == sorted(places)
    assert page.index("sandbox first") < places[0]
    assert "$" not in page
