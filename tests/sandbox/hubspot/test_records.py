"""Single records, the list and merges."""

from typing import Any

import pytest
from hubspot import HubSpot

from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import NOW, Api

CONTACTS = "/crm/v3/objects/contacts"


def test_the_real_client_lists_all_in_the_order_of_ids(client: HubSpot, ids: list[str]) -> None:
    basic, seen, after = client.crm.contacts.basic_api, [], None
    while True:
        page = basic.get_page(limit=100, after=after, properties=["phone", "email"], archived=False, _request_timeout=5)
        seen += [row.id for row in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after

    assert seen == ids


def test_after_is_the_last_id_plus_one_and_the_link_keeps_the_rest(api: Api, ids: list[str]) -> None:
    reply = api("GET", CONTACTS, limit=2, properties="email")
    following = reply.body["paging"]["next"]

    assert following["after"] == str(int(ids[1]) + 1)
    assert following["link"] == f"{api.url}{CONTACTS}?limit=2&properties=email&after={following['after']}"


@pytest.mark.parametrize(
    "query", [{"limit": 101}, {"limit": 0}, {"after": "x"}, {"limit": 51, "propertiesWithHistory": "phone"}]
)
def test_bad_pages_are_refused(api: Api, query: dict[str, Any]) -> None:
    assert api("GET", CONTACTS, **query).status == 400


def test_the_recycle_bin_is_a_list_of_its_own(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.archive(ids[3])
    listed = api("GET", CONTACTS, limit=100, archived="true").body["results"]

    assert [(row["id"], row["archived"]) for row in listed] == [(ids[3], True)]
    assert ids[3] not in [row["id"] for row in api("GET", CONTACTS, limit=100).body["results"]]


def test_a_record_is_found_by_email(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    email = portal.contacts[ids[4]]["email"]

    assert api("GET", f"{CONTACTS}/{email}", idProperty="email").body["id"] == ids[4]
    assert api("GET", f"{CONTACTS}/{ids[4]}", idProperty="phone").status == 400


def test_a_missing_record_is_a_web_page(api: Api) -> None:
    reply = api("GET", f"{CONTACTS}/1")

    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html;charset=iso-8859-1")
    assert "Resource not found" in reply.body


def test_patch_writes_one_record_or_nothing(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    reply = api("PATCH", f"{CONTACTS}/{ids[0]}", {"properties": {"city": "Oslo"}})

    assert (reply.status, reply.body["properties"]["city"]) == (200, "Oslo")

    refused = api("PATCH", f"{CONTACTS}/{ids[0]}", {"properties": {"city": "Bergen", "no_such": "1"}})

    assert (refused.status, portal.contacts[ids[0]]["city"]) == (400, "Oslo")


def test_an_email_address_belongs_to_one_contact(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    email = portal.contacts[ids[0]]["email"]
    reply = api("POST", CONTACTS, {"properties": {"email": email.upper()}})

    assert (reply.status, reply.body["category"]) == (409, "CONFLICT")
    assert reply.body["message"] == f"Contact already exists. Existing ID: {ids[0]}"


def test_a_deleted_email_address_is_free_again(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    email = portal.contacts[ids[0]]["email"]

    assert api("DELETE", f"{CONTACTS}/{ids[0]}").status == 204
    assert api("POST", CONTACTS, {"properties": {"email": email}}).status == 201


def test_merge_answers_with_a_new_record_that_has_both(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.update_as_user(ids[0], city="Oslo", address="")
    portal.update_as_user(ids[1], city="Bergen", address="Storgata 1")
    reply = api("POST", f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    survivor = portal.contacts[reply.body["id"]]

    assert (survivor["city"], survivor["address"]) == ("Oslo", "Storgata 1")
    assert not {ids[0], ids[1]} & set(portal.contacts)
    assert api("POST", f"{CONTACTS}/merge", {"primaryObjectId": "1", "objectIdToMerge": "2"}).status == 404


def test_ids_do_not_rise_in_time_and_never_come_twice(portal: HubSpotPortal, ids: list[str]) -> None:
    made = [portal.new_id() for _ in range(200)]

    assert made != sorted(made)
    assert min(made) < int(ids[0]) < int(ids[-1]) < max(made)
    assert len({*made, *map(int, ids)}) == len(made) + len(ids)


def test_companies_are_there_too(api: Api) -> None:
    rows = api("GET", "/crm/v3/objects/companies", limit=50).body["results"]

    assert {"name", "hs_lastmodifieddate"} <= rows[0]["properties"].keys()

    reply = api(
        "POST", "/crm/v3/objects/COMPANY/search", {"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}]}
    )

    assert reply.body["total"] == len(rows)


def test_a_foreign_type_is_refused(api: Api) -> None:
    reply = api("GET", "/crm/v3/objects/unicorns")
    assert (reply.status, reply.body["message"]) == (400, "Unable to infer object type from: unicorns")


def test_a_persons_edit_moves_the_modification_time(portal: HubSpotPortal, ids: list[str]) -> None:
    before = portal.contacts[ids[0]]["lastmodifieddate"]
    portal.update_as_user(ids[0], phone="+1 212 555 0123")
    held = portal.contacts[ids[0]]

    assert held["phone"] == "+1 212 555 0123"
    assert held["lastmodifieddate"] > before
    assert held["lastmodifieddate"].startswith(NOW.strftime("%Y-%m-%dT%H:%M"))

    with pytest.raises(ValueError, match="PROPERTY_DOESNT_EXIST"):
        portal.update_as_user(ids[0], no_such="1")

    with pytest.raises(KeyError):
        portal.update_as_user("1", phone="1")


def test_a_changed_email_address_is_found_and_the_old_one_is_free(
    api: Api, portal: HubSpotPortal, ids: list[str]
) -> None:
    old = portal.contacts[ids[0]]["email"]
    api("PATCH", f"{CONTACTS}/{ids[0]}", {"properties": {"email": "Moved@Example.com"}})

    assert api("GET", f"{CONTACTS}/moved@example.com", idProperty="email").body["id"] == ids[0]
    assert api("GET", f"{CONTACTS}/{old}", idProperty="email").status == 404
    assert api("POST", CONTACTS, {"properties": {"email": old}}).status == 201


@pytest.mark.parametrize(
    ("kind", "sent", "held"),
    [
        ("number", "12.5", "12.5"),
        ("number", "a dozen", None),
        ("date", "2026-03-01", "2026-03-01"),
        ("date", "1772323200000", "2026-03-01"),
        ("date", "2026-03-01T10:00:00Z", None),
        ("date", "in March", None),
    ],
)
def test_numbers_and_dates_are_checked(
    api: Api, portal: HubSpotPortal, ids: list[str], kind: str, sent: str, held: str | None
) -> None:
    definition = {"name": "mine", "label": "Mine", "type": kind, "fieldType": kind, "groupName": "contactinformation"}

    assert api("POST", "/crm/v3/properties/contacts", definition).status == 201

    reply = api("PATCH", f"{CONTACTS}/{ids[0]}", {"properties": {"mine": sent}})

    assert reply.status == (400 if held is None else 200)
    assert portal.contacts[ids[0]].get("mine") == held


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[1]", {"properties": {"city": ["Oslo"]}}, {"properties": "x"}])
def test_malformed_writes_are_refused(api: Api, ids: list[str], body: bytes | dict[str, Any]) -> None:
    reply = api("PATCH", f"{CONTACTS}/{ids[0]}", body)
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")


def test_the_history_of_one_record_begins_with_the_import(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    first = portal.contacts[ids[0]]["firstname"]
    portal.update_as_user(ids[0], firstname="Later")
    reply = api("GET", f"{CONTACTS}/{ids[0]}", propertiesWithHistory="firstname")
    versions = reply.body["propertiesWithHistory"]["firstname"]

    assert [(each["value"], each["sourceType"]) for each in versions] == [("Later", "CRM_UI"), (first, "IMPORT")]
    assert versions[-1]["timestamp"] == portal.contacts[ids[0]]["createdate"]
