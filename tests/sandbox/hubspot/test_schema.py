"""Property definitions and groups, and the companions that `setup` creates."""

from typing import Any

import pytest
from hubspot import HubSpot

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import people
from ringfence.sandbox.hubspot.app import hubspot_app
from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import NOW, Api

PROPERTIES = "/crm/v3/properties/contacts"
SUFFIXES = ("status", "reason", "e164", "line_type", "screened_value", "last_screened")
COMPANIONS = {f"rf_{slot}_{suffix}" for slot in ("phone", "mobilephone") for suffix in SUFFIXES}


@pytest.fixture
def bare(stage: Any) -> HubSpotPortal:
    portal = HubSpotPortal(people=people(20, now=NOW), clock=SandboxClock(NOW), companions=False)
    stage[0].app = hubspot_app(portal)
    return portal


def test_the_real_client_reads_all_definitions(client: HubSpot) -> None:
    known = {each.name: each for each in client.crm.properties.core_api.get_all("contacts", _request_timeout=5).results}

    assert known.keys() >= COMPANIONS | {"rf_do_not_call", "phone", "mobilephone", "country", "hs_analytics_source"}
    assert {option.value for option in known["rf_phone_status"].options} >= {"valid", "invalid", "do_not_contact"}
    assert (known["rf_phone_last_screened"].type, known["rf_phone_last_screened"].field_type) == ("datetime", "date")
    assert known["hs_object_id"].modification_metadata.read_only_value is True


def test_a_bare_portal_lacks_the_companions_and_their_values(bare: HubSpotPortal) -> None:
    assert not COMPANIONS & bare.definitions["contacts"].keys()
    assert not [name for held in bare.contacts.values() for name in held if name.startswith("rf_")]


def test_the_real_client_sets_a_bare_portal_up(bare: HubSpotPortal, stage: Any) -> None:
    properties = HubSpot(access_token=bare.access_token, host=stage[1]).crm.properties
    properties.groups_api.create("contacts", {"name": "ringfence", "label": "ringfence"}, _request_timeout=5)
    definition = {
        "name": "rf_phone_e164",
        "label": "E.164",
        "type": "string",
        "fieldType": "text",
        "groupName": "ringfence",
    }
    properties.core_api.create("contacts", definition, _request_timeout=5)
    created = properties.core_api.get_by_name("contacts", "rf_phone_e164", _request_timeout=5)

    assert (created.group_name, created.hubspot_defined) == ("ringfence", False)

    record_id = next(iter(bare.contacts))
    bare.update_as_user(record_id, rf_phone_e164="+12125550123")

    assert bare.contacts[record_id]["rf_phone_e164"] == "+12125550123"


def new(**changes):
    base = {"name": "mine", "label": "Mine", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    return {**base, **changes}


def test_a_taken_name_is_a_conflict(api: Api) -> None:
    assert api("POST", PROPERTIES, new()).status == 201

    reply = api("POST", PROPERTIES, new())

    assert (reply.status, reply.body["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert reply.body["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"

    group = {"name": "ringfence", "label": "ringfence"}

    assert api("POST", f"{PROPERTIES}/groups", group).status == 409


BAD = [
    new(name="Mine"),
    new(label=""),
    new(type="string", fieldType="select"),
    new(type="colour"),
    new(groupName="no_such"),
    new(options=[{"label": "A", "value": "a"}]),
    new(type="enumeration", fieldType="select", options=[{"label": "A"}]),
    new(type="enumeration", fieldType="select", options=[{"label": "A", "value": "a"}, {"label": "B", "value": "a"}]),
    new(type="bool", fieldType="booleancheckbox", options=[{"label": "Y", "value": "yes"}]),
]


@pytest.mark.parametrize("body", BAD)
def test_bad_definitions_are_refused(api: Api, body: Any) -> None:
    reply = api("POST", PROPERTIES, body)
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")


def test_a_batch_creates_what_it_can(api: Api, portal: HubSpotPortal) -> None:
    reply = api("POST", f"{PROPERTIES}/batch/create", {"inputs": [new(), new(name="phone"), new(name="other")]})

    assert reply.status == 207
    assert [each["name"] for each in reply.body["results"]] == ["mine", "other"]
    assert reply.body["errors"][0]["category"] == "OBJECT_ALREADY_EXISTS"
    assert {"mine", "other"} <= portal.definitions["contacts"].keys()


def test_missing_definitions_are_not_found(api: Api) -> None:
    assert api("GET", f"{PROPERTIES}/no_such").status == 404
    assert api("GET", f"{PROPERTIES}/groups/no_such").status == 404
    assert api("GET", f"{PROPERTIES}/groups/ringfence").body["name"] == "ringfence"

    reply = api(
        "POST", f"{PROPERTIES}/batch/read", {"archived": False, "inputs": [{"name": "phone"}, {"name": "no_such"}]}
    )

    assert (reply.status, [each["name"] for each in reply.body["results"]]) == (207, ["phone"])


def test_groups_are_listed(api: Api) -> None:
    names = {group["name"] for group in api("GET", f"{PROPERTIES}/groups").body["results"]}
    assert names >= {"contactinformation", "ringfence"}


def test_screened_people_carry_what_a_sync_wrote(portal: HubSpotPortal) -> None:
    screened = [held for held in portal.contacts.values() if "rf_phone_status" in held]

    assert len(screened) > 20

    for held in screened:
        assert held["rf_phone_screened_value"] == held["phone"]
        assert held["rf_phone_last_screened"][:19] == held["lastmodifieddate"][:19]
        assert held["rf_phone_status"] != "valid" or held["rf_phone_e164"].startswith("+")
