"""The stand-in's answers beside public recordings of the real service; skipped where the recordings are absent."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import Api

TRAFFIC = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "hubspot"
CONTACTS = "/crm/v3/objects/contacts"

pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recordings lie beside the checkout, not in it")


def recorded(name: Any, *, status=None, path=""):
    """The first recorded answer with this status whose address ends so."""
    for exchange in json.loads((TRAFFIC / name).read_text(encoding="utf-8")):
        address = exchange["request"]["url"].partition("?")[0]
        if status in {None, exchange["response"]["status"]} and address.endswith(path):
            return exchange
    raise AssertionError(f"no such exchange in {name}")


def rate_headers(headers: Any):
    names = {name.lower() for name in headers}
    return {name for name in names if name.startswith("x-hubspot-ratelimit") and "secondly" not in name}


def same_shape(mine: Any, theirs: Any):
    """True when keys and JSON types agree, lists by their first row; the names of properties are free."""
    if isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(
            name == "properties" or same_shape(mine[name], theirs[name]) for name in theirs
        )
    if isinstance(theirs, list):
        return not theirs or same_shape(mine[0], theirs[0])
    return type(mine) is type(theirs)


def test_a_refused_search(api: Api, portal: HubSpotPortal) -> None:
    theirs = recorded("grouparoo/export-records-contact.sequence.json", status=429)["response"]
    portal.searches.limit = 0
    mine = api.search()

    assert {**mine.body, "correlationId": ""} == {**theirs["body"], "correlationId": ""}
    assert list(mine.body) == list(theirs["body"])
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"])


def test_a_search_with_unset_and_unknown_properties(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    theirs = recorded("grouparoo/export-records-contact.sequence.json", status=200, path="/search")["response"]
    portal.update_as_user(ids[0], lastname="")
    mine = api.search(limit=1, properties=["lastname", "grouparoo_custom_text"])
    theirs["body"]["paging"] = mine.body["paging"]

    assert same_shape(mine.body, theirs["body"])
    assert theirs["body"]["results"][0]["properties"]["lastname"] is None
    assert mine.body["results"][0]["properties"]["lastname"] is None
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"])


def test_a_batch_update_that_clears(api: Api, ids: list[str]) -> None:
    theirs = recorded("grouparoo/export-records-contact.sequence.json", path="/batch/update")["response"]
    mine = api.batch("update", [{"id": ids[0], "properties": {"lastname": "", "firstname": "John"}}])

    assert mine.status == theirs["status"]
    assert same_shape(mine.body, theirs["body"])
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"])


def test_a_batch_create(api: Api) -> None:
    theirs = recorded("grouparoo/export-records-contact.sequence.json", path="/batch/create")["response"]
    mine = api.batch("create", [{"properties": {"email": "new@example.com", "firstname": "John"}}])

    assert mine.status == theirs["status"]
    assert same_shape(mine.body, theirs["body"])

    names = theirs["body"]["results"][0]["properties"].keys()

    assert names <= mine.body["results"][0]["properties"].keys()


def test_a_list_page(api: Api) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_list_first_no_props.json")["response"]["body"]
    mine = api("GET", CONTACTS, limit=1).body

    assert same_shape(mine, theirs)
    assert mine["results"][0]["properties"].keys() == theirs["results"][0]["properties"].keys()

    for page in (mine, theirs):
        assert int(page["paging"]["next"]["after"]) == int(page["results"][0]["id"]) + 1


def test_a_record(api: Api, ids: list[str]) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_find_by_id.json")["response"]
    mine = api("GET", f"{CONTACTS}/{ids[0]}")

    assert same_shape(mine.body, theirs["body"])
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"])


def test_a_missing_record(api: Api) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_find_missing_user_by_email.json")["response"]
    mine = api("GET", f"{CONTACTS}/nobody@example.com", idProperty="email")

    assert (mine.status, mine.body.split()) == (theirs["status"], theirs["body"].split())
    assert mine.headers["Content-Type"] == theirs["headers"]["Content-Type"]


def test_a_missing_scope(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_find_by_id_no_scope.json")["response"]
    portal.scopes.clear()
    mine = api("GET", f"{CONTACTS}/{ids[0]}")

    assert (mine.status, mine.body["message"]) == (theirs["status"], theirs["body"]["message"])
    assert mine.body.keys() == theirs["body"].keys()

    needed = mine.body["errors"][0]["context"]["requiredGranularScopes"]

    assert set(needed) <= set(theirs["body"]["errors"][0]["context"]["requiredGranularScopes"])
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"]) == set()


def test_unreadable_definitions(api: Api, portal: HubSpotPortal) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_properties_no_scope.json")["response"]
    portal.scopes.clear()
    mine = api("GET", "/crm/v3/properties/contacts")
    expected = theirs["body"]["message"].replace("<HUBSPOT_PORTAL_ID>", str(portal.portal_id))

    assert (mine.status, mine.body["message"]) == (403, expected)
    assert mine.body.keys() == theirs["body"].keys()
    assert rate_headers(mine.headers) == rate_headers(theirs["headers"])


def test_definitions(api: Api) -> None:
    theirs = recorded("ruby_hubspot_api/contacts_properties.json")["response"]["body"]["results"]
    mine = {each["name"]: each for each in api("GET", "/crm/v3/properties/contacts").body["results"]}
    shared = [each for each in theirs if each["name"] in mine]

    assert len(shared) >= 20

    for each in shared:
        assert mine[each["name"]].keys() <= each.keys() | {"createdAt", "updatedAt", "dataSensitivity"}, each["name"]
        assert (mine[each["name"]]["type"], mine[each["name"]]["fieldType"]) == (each["type"], each["fieldType"])

        readonly = each["modificationMetadata"]["readOnlyValue"]

        assert mine[each["name"]]["modificationMetadata"]["readOnlyValue"] is readonly, each["name"]
