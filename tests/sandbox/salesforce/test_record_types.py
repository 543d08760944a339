"""Record types: what they leave out of picklists, how the org tells, and what it refuses."""

from __future__ import annotations

import pytest

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from .conftest import PEOPLE, Api, Server

STATUS = "RF_Phone_Status__c"
TRAITS = SalesforceTraits(record_types={"Contact": {"Customer": {}, "Partner": {STATUS: ("valid", "invalid")}}})


@pytest.fixture
def org(clock: SandboxClock) -> SalesforceOrg:
    return SalesforceOrg(people=PEOPLE, clock=clock, traits=TRAITS)


def record_type(api: Api, name: str) -> str:
    (found,) = api.ids(f"SELECT Id FROM RecordType WHERE DeveloperName = '{name}' AND SobjectType = 'Contact'")
    return found


def test_records_can_be_asked_for_by_the_name_of_their_type(api: Api, contacts: list[str]) -> None:
    assert api.ids("SELECT Id FROM Contact WHERE RecordType.DeveloperName = 'Partner'") == contacts[1::2]


def test_a_value_that_the_type_leaves_out_is_refused_where_the_picklist_is_restricted(
    api: Api, contacts: list[str]
) -> None:
    customer, partner = contacts[:2]

    assert api("PATCH", f"/sobjects/Contact/{partner}", json={STATUS: "active"}).status_code == 204

    api.org.restrict_picklist("Contact", STATUS)

    assert api("PATCH", f"/sobjects/Contact/{customer}", json={STATUS: "active"}).status_code == 204
    assert api("PATCH", f"/sobjects/Contact/{partner}", json={STATUS: "valid"}).status_code == 204

    status, error = api.refusal("PATCH", f"/sobjects/Contact/{partner}", json={STATUS: "active"})

    assert (status, error["errorCode"]) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert error["fields"] == [STATUS]

    body = {"LastName": "New", STATUS: "active", "RecordTypeId": record_type(api, "Partner")}

    assert api.refusal("POST", "/sobjects/Contact", json=body)[1]["fields"] == [STATUS]


def test_describe_names_the_types_and_the_ui_api_their_values(api: Api) -> None:
    infos = api("GET", "/sobjects/Contact/describe").json()["recordTypeInfos"]
    partner = record_type(api, "Partner")
    path = f"/ui-api/object-info/Contact/picklist-values/{partner}"

    assert [(info["name"], info["defaultRecordTypeMapping"]) for info in infos] == [
        ("Customer", True),
        ("Partner", False),
        ("Master", False),
    ]

    values = api("GET", f"{path}/{STATUS}").json()["values"]

    assert [value["value"] for value in values] == ["valid", "invalid"]

    everything = api("GET", path).json()["picklistFieldValues"]

    assert everything[STATUS]["values"] == values
    assert len(everything["RF_MobilePhone_Status__c"]["values"]) == 10
    assert api("GET", f"{path}/Phone").status_code == 404
    assert api("GET", f"/ui-api/object-info/Contact/picklist-values/012000000000009AAA/{STATUS}").status_code == 400


def test_layouts_tell_the_values_of_each_type(api: Api) -> None:
    body = api("GET", "/sobjects/Contact/describe/layouts").json()
    mapping = next(each for each in body["recordTypeMappings"] if each["name"] == "Partner")
    status = next(each for each in mapping["picklistsForRecordType"] if each["picklistName"] == STATUS)

    assert body["layouts"] is None
    assert [value["value"] for value in status["picklistValues"]] == ["valid", "invalid"]

    layout = api("GET", f"/sobjects/Contact/describe/layouts/{mapping['recordTypeId']}").json()

    assert layout["detailLayoutSections"][0]["layoutRows"]


def test_an_org_without_record_types_has_one_layout(server: Server, clock: SandboxClock) -> None:
    api = server.serve(SalesforceOrg(people=PEOPLE, clock=clock))
    body = api("GET", "/sobjects/Contact/describe/layouts").json()

    assert len(body["layouts"]) == 1
    assert [each["name"] for each in body["recordTypeMappings"]] == ["Master"]
