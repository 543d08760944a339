"""Batches: what a 200, a 207 and a 400 say, and what they leave out."""

import json
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.contacts.exceptions import ApiException

from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import Api


def test_the_real_client_reads_and_writes_a_full_batch(client: HubSpot, portal: HubSpotPortal, ids: list[str]) -> None:
    batch = client.crm.contacts.batch_api
    wanted = [{"id": record_id} for record_id in ids[:100]]
    read = batch.read({"inputs": wanted, "properties": ["phone"]}, _request_timeout=5)

    assert [row.id for row in read.results] == ids[:100]

    inputs = [
        {"id": each, "objectWriteTraceId": each, "properties": {"rf_phone_status": "valid", "rf_phone_reason": None}}
        for each in ids[:100]
    ]
    data, status, headers = batch.update_with_http_info({"inputs": inputs}, _request_timeout=5)

    assert (status, len(data.results)) == (200, 100)
    assert headers["X-HubSpot-RateLimit-Remaining"] == "188"
    assert {portal.contacts[each]["rf_phone_status"] for each in ids[:100]} == {"valid"}


def test_a_batch_read_names_all_missing_ids_in_one_error(api: Api, ids: list[str]) -> None:
    reply = api.batch("read", [{"id": ids[0]}, {"id": "1"}, {"id": "2"}])

    assert reply.status == 207
    assert [row["id"] for row in reply.body["results"]] == ids[:1]
    assert reply.body["numErrors"] == 1

    error = reply.body["errors"][0]

    assert (error["category"], error["context"]) == ("OBJECT_NOT_FOUND", {"ids": ["1", "2"]})
    assert error["message"].startswith("Could not get some CONTACT objects")


def test_an_unset_property_is_absent_in_a_batch_read(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.update_as_user(ids[0], phone=None)
    row = api.batch("read", [{"id": ids[0]}], properties=["phone", "no_such"]).body["results"][0]

    assert row["properties"].keys() == {"createdate", "hs_object_id", "lastmodifieddate"}


def test_history_takes_batches_of_fifty_and_names_the_source(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.update_as_user(ids[0], city="Oslo")
    api.batch("update", [{"id": ids[0], "properties": {"city": "Bergen"}}])
    inputs = [{"id": each} for each in ids[:50]]
    reply = api.batch("read", inputs, propertiesWithHistory=["city"])
    versions = reply.body["results"][0]["propertiesWithHistory"]["city"]

    assert [(each["value"], each["sourceType"]) for each in versions] == [("Bergen", "INTEGRATION"), ("Oslo", "CRM_UI")]
    assert versions[0]["sourceId"] == portal.app_id
    assert api.batch("read", [*inputs, {"id": ids[50]}], propertiesWithHistory=["city"]).status == 400


@pytest.mark.parametrize("action", ["read", "update", "create", "upsert", "archive"])
def test_more_than_a_hundred_inputs_are_refused(api: Api, action: str) -> None:
    inputs = [{"id": str(number), "properties": {}} for number in range(101)]
    reply = api.batch(action, inputs)

    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")
    assert "100" in reply.body["message"]


def test_a_missing_id_fails_alone_and_echoes_its_trace_id(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.archive(ids[1])
    inputs = [{"id": each, "objectWriteTraceId": f"row-{each}", "properties": {"city": "Oslo"}} for each in ids[:2]]
    reply = api.batch("update", inputs)

    assert reply.status == 207
    assert [row["id"] for row in reply.body["results"]] == ids[:1]
    assert reply.body["results"][0]["objectWriteTraceId"] == f"row-{ids[0]}"

    context = reply.body["errors"][0]["context"]

    assert context == {"ids": [ids[1]], "objectWriteTraceId": [f"row-{ids[1]}"]}
    assert portal.contacts[ids[0]]["city"] == "Oslo"


def test_a_merged_away_id_is_left_out_of_a_200_and_read_as_the_survivor(
    api: Api, portal: HubSpotPortal, ids: list[str]
) -> None:
    survivor = portal.merge(ids[0], ids[1])
    reply = api.batch("update", [{"id": each, "properties": {"city": "Oslo"}} for each in ids[:3]])

    assert (reply.status, [row["id"] for row in reply.body["results"]]) == (200, [ids[2]])
    assert "city" not in portal.contacts[survivor]

    read = api.batch("read", [{"id": ids[0]}, {"id": ids[1]}], properties=["hs_merged_object_ids"])

    assert [row["id"] for row in read.body["results"]] == [survivor]
    assert read.body["results"][0]["properties"]["hs_merged_object_ids"] == f"{ids[0]};{ids[1]}"
    assert api("GET", f"/crm/v3/objects/contacts/{ids[1]}").body["id"] == survivor


def test_a_repeated_id_refuses_the_batch(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    reply = api.batch("update", [{"id": ids[0], "properties": {"city": name}} for name in ("Oslo", "Bergen")])

    assert reply.status == 400
    assert reply.body["message"] == f"Duplicate IDs found in batch input: [{ids[0]}]. IDs must be unique"
    assert "city" not in portal.contacts[ids[0]]


BAD_VALUES = [
    ("no_such", "1", "PROPERTY_DOESNT_EXIST"),
    ("hs_object_id", "1", "READ_ONLY_VALUE"),
    ("rf_phone_status", "perhaps", "INVALID_OPTION"),
    ("rf_do_not_call", "yes", "INVALID_OPTION"),
    ("rf_phone_last_screened", "soon", "INVALID_LONG"),
    ("email", "nobody", "INVALID_EMAIL"),
]


@pytest.mark.parametrize(("name", "value", "error"), BAD_VALUES)
def test_one_bad_value_refuses_the_whole_batch(
    api: Api, portal: HubSpotPortal, ids: list[str], name: Any, value: Any, error: Any
) -> None:
    inputs = [{"id": ids[0], "properties": {"city": "Oslo"}}, {"id": ids[1], "properties": {name: value}}]
    reply = api.batch("update", inputs)

    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")

    lead, _, inside = reply.body["message"].partition(": ")
    problem = json.loads(inside)[0]

    assert lead == "Property values were not valid"
    assert (problem["isValid"], problem["error"], problem["name"]) == (False, error, name)
    assert problem["portalId"] == portal.portal_id
    assert "city" not in portal.contacts[ids[0]]


def test_one_bad_value_refuses_its_row_when_the_portal_says_so(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.invalid_value = "row"
    good = {"id": ids[0], "properties": {"city": "Oslo"}}
    bad = {"id": ids[1], "objectWriteTraceId": "b", "properties": {"rf_phone_status": "perhaps"}}
    reply = api.batch("update", [good, bad])

    assert (reply.status, [row["id"] for row in reply.body["results"]]) == (207, ids[:1])

    error = reply.body["errors"][0]

    assert error["category"] == "VALIDATION_ERROR"
    assert error["context"] == {"ids": [ids[1]], "objectWriteTraceId": ["b"]}


@pytest.mark.parametrize("empty", ["", None])
def test_empty_and_null_clear_a_property(api: Api, portal: HubSpotPortal, ids: list[str], empty: str | None) -> None:
    portal.update_as_user(ids[0], city="Oslo")
    reply = api.batch("update", [{"id": ids[0], "properties": {"city": empty}}])

    assert reply.body["results"][0]["properties"]["city"] == ""
    assert "city" not in portal.contacts[ids[0]]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_write_that_changes_nothing_bumps_or_not(
    api: Api, portal: HubSpotPortal, ids: list[str], bumps: bool
) -> None:
    portal.noop_bumps = bumps
    portal.update_as_user(ids[0], city="Oslo")
    before = portal.contacts[ids[0]]["lastmodifieddate"]
    portal.clock.advance(5)
    reply = api.batch("update", [{"id": ids[0], "properties": {"city": "Oslo"}}])

    assert (reply.body["results"][0]["updatedAt"] > before) is bumps


def test_values_come_back_in_hubspots_form(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    properties = {"rf_phone_last_screened": "1767225600000", "rf_do_not_call": True}
    api.batch("update", [{"id": ids[0], "properties": properties}])
    held = portal.contacts[ids[0]]

    assert (held["rf_phone_last_screened"], held["rf_do_not_call"]) == ("2026-01-01T00:00:00Z", "true")


def test_an_update_by_email_is_refused(api: Api) -> None:
    inputs = [{"id": "a@example.com", "idProperty": "email", "properties": {"city": "Oslo"}}]
    assert api.batch("update", inputs).status == 400


def test_upsert_says_what_is_new(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    known = portal.contacts[ids[0]]["email"]
    inputs = [
        {"id": email, "idProperty": "email", "properties": {"city": "Oslo"}} for email in (known, "new@example.com")
    ]
    reply = api.batch("upsert", inputs)

    assert [row["new"] for row in reply.body["results"]] == [False, True]


def test_create_is_all_or_nothing(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    fresh = {"properties": {"email": "new@example.com"}}
    taken = {"properties": {"email": portal.contacts[ids[0]]["email"]}}

    assert api.batch("create", [fresh, taken]).status == 409
    assert len(portal.contacts) == len(ids)

    reply = api.batch("create", [fresh])

    assert reply.status == 201
    assert reply.body["results"][0]["id"] in portal.contacts


def test_archive_takes_unknown_ids_without_a_word(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    assert api.batch("archive", [{"id": ids[0]}, {"id": "1"}]).status == 204
    assert ids[0] not in portal.contacts

    gone = api("GET", f"/crm/v3/objects/contacts/{ids[0]}", archived="true").body

    assert (gone["archived"], "archivedAt" in gone) == (True, True)


@pytest.mark.parametrize("body", [{}, {"inputs": {}}, {"inputs": [{"properties": {}}]}, {"inputs": [{"id": "1"}]}])
def test_malformed_batches_are_refused(api: Api, body: dict[str, Any]) -> None:
    assert api("POST", "/crm/v3/objects/contacts/batch/update", body).status == 400


def test_the_real_client_raises_what_it_should(client: HubSpot) -> None:
    batch = client.crm.contacts.batch_api
    with pytest.raises(ApiException) as refused:
        batch.read({"inputs": [{"id": "1"}] * 101, "properties": []}, _request_timeout=5)

    assert refused.value.status == 400
