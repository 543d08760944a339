"""What the README of HubSpot's own Python client shows, done at a sandbox portal, call by call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.cms.audit_logs.exceptions import ApiException as AuditLogsError
from hubspot.crm.contacts import PublicObjectSearchRequest, SimplePublicObjectInputForCreate
from hubspot.crm.contacts.exceptions import ApiException as ContactsError
from hubspot.crm.objects.exceptions import ApiException as ObjectsError
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate, PropertyUpdate
from hubspot.oauth.exceptions import ApiException as OAuthError
from urllib3.util.retry import Retry

from ringfence.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def portal() -> Iterator[Sandbox]:
    with Sandbox(contacts=30) as sandbox:
        sandbox.hubspot.calls.limit = 10_000
        yield sandbox


@pytest.fixture
def client(portal: Sandbox) -> Any:
    return HubSpot(access_token=portal.hubspot.access_token, host=portal.hubspot_url, base_url=portal.hubspot_url)


def create(client: Any, **properties: str) -> Any:
    body = SimplePublicObjectInputForCreate(properties=properties)
    return client.crm.contacts.basic_api.create(simple_public_object_input_for_create=body)


def test_contacts_are_created_read_listed_and_converted(client: Any) -> None:
    made = create(client, email="email@example.com")

    assert client.crm.contacts.basic_api.get_by_id(made.id).properties["email"] == "email@example.com"
    assert made.id in [each.id for each in client.crm.contacts.get_all()]
    page = client.crm.contacts.basic_api.get_page(limit=10, archived=False)
    assert [each.to_dict()["id"] for each in page.results] == [each.id for each in page.results]


def test_a_contact_that_is_not_there_is_an_exception_of_the_client(client: Any) -> None:
    with pytest.raises(ContactsError) as missing:
        client.crm.contacts.basic_api.get_by_id("contact_id")
    assert missing.value.status == 404

    with pytest.raises(ObjectsError) as unknown:
        client.crm.objects.basic_api.get_page(object_type="my_custom_object_type")
    assert (unknown.value.status, "my_custom_object_type" in unknown.value.body) == (400, True)


def test_a_search_by_date_finds_what_was_changed_then(client: Any, portal: Sandbox) -> None:
    made = create(client, lastname="Found")
    stamp = portal.hubspot.contacts[made.id]["lastmodifieddate"]
    request = PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"value": stamp, "propertyName": "lastmodifieddate", "operator": "EQ"}]}], limit=10
    )

    found = client.crm.contacts.search_api.do_search(public_object_search_request=request)

    assert made.id in [each.id for each in found.results]


def test_what_the_portal_has_not_is_refused_in_words(client: Any) -> None:
    with pytest.raises(OAuthError) as no_app:
        client.oauth.tokens_api.create(
            grant_type="authorization_code",
            redirect_uri="http://localhost",
            client_id="client_id",
            client_secret="client_secret",
            code="code",
        )
    assert (no_app.value.status, "BAD_CLIENT_ID" in no_app.value.body) == (400, True)

    with pytest.raises(AuditLogsError) as no_logs:
        client.cms.audit_logs.audit_logs_api.get_page()
    assert no_logs.value.status == 404


def test_requests_without_a_module_go_the_same_way(client: Any) -> None:
    listed = client.api_request({"path": "/crm/v3/objects/contacts"})
    body = {"properties": {"email": "some_email@some.com", "lastname": "some_last_name"}}
    made = client.api_request({"path": "/crm/v3/objects/contacts", "method": "POST", "body": body})
    nowhere = client.api_request({"method": "PUT", "path": "/some/api/not/wrapped/yet", "body": {"key": "value"}})

    assert len(listed.json()["results"]) == 10
    assert made.json()["properties"]["lastname"] == "some_last_name"
    assert nowhere.status_code == 404


def test_the_retries_of_the_readme_get_past_a_limit(portal: Sandbox) -> None:
    retry = Retry(total=2, status_forcelist=(429,), backoff_factor=0.05)
    client = HubSpot(access_token=portal.hubspot.access_token, host=portal.hubspot_url, retry=retry)
    window = portal.hubspot.calls
    limit, window.limit = window.limit, 0
    began = time.monotonic()

    with pytest.raises(Exception, match="Max retries exceeded"):
        client.crm.contacts.basic_api.get_page(limit=1)
    window.limit = limit

    assert client.crm.contacts.basic_api.get_page(limit=1).results
    assert time.monotonic() - began > 0.1


def test_properties_and_groups_are_made_changed_and_archived(client: Any, portal: Sandbox) -> None:
    groups, properties = client.crm.properties.groups_api, client.crm.properties.core_api
    groups.create("contacts", PropertyGroupCreate(name="walk", label="Walk", display_order=-1))
    body = PropertyCreate(name="walk_note", label="Note", type="string", field_type="text", group_name="walk")
    properties.create("contacts", body)

    changed = properties.update("contacts", "walk_note", PropertyUpdate(label="Remark", description="for a walk"))
    assert (changed.label, changed.description, changed.type) == ("Remark", "for a walk", "string")

    refused = client.api_request({"path": "/crm/v3/properties/contacts/groups/walk", "method": "DELETE"})
    assert refused.status_code == 400
    properties.archive("contacts", "walk_note")
    assert [each.name for each in properties.get_all("contacts", archived=True).results] == ["walk_note"]
    groups.archive("contacts", "walk")
    assert "walk" not in portal.hubspot.groups["contacts"]

    with pytest.raises(Exception, match="defined by HubSpot"):
        properties.archive("contacts", "phone")


def test_a_contact_is_purged_and_its_address_forgotten(client: Any, portal: Sandbox) -> None:
    made = create(client, email="gone@example.com")

    client.crm.contacts.basic_api.purge({"objectId": "gone@example.com", "idProperty": "email"})
    client.crm.contacts.basic_api.purge({"objectId": "nobody@example.com", "idProperty": "email"})

    assert made.id not in portal.hubspot.contacts
    assert create(client, email="gone@example.com").id != made.id


def test_batches_are_read_by_e_mail_and_two_contacts_become_one(client: Any) -> None:
    one, two = create(client, email="one@example.com"), create(client, email="two@example.com")
    body = {
        "inputs": [{"id": "one@example.com"}, {"id": "nobody@example.com"}],
        "idProperty": "email",
        "properties": ["email"],
        "propertiesWithHistory": [],
    }

    read = client.crm.contacts.batch_api.read(body)
    survivor = client.crm.contacts.basic_api.merge({"primaryObjectId": one.id, "objectIdToMerge": two.id})

    assert ([each.id for each in read.results], read.num_errors) == ([one.id], 1)
    assert client.crm.contacts.basic_api.get_by_id(two.id).id == survivor.id


def test_a_contact_and_a_company_are_associated(client: Any) -> None:
    company = client.crm.companies.basic_api.create({"properties": {"name": "Walkers"}, "associations": []})
    person = create(client, email="walker@example.com")

    associations = client.crm.associations.v4.basic_api
    associations.create_default("contacts", person.id, "companies", company.id)
    page = associations.get_page("companies", company.id, "contacts")
    shown = client.crm.contacts.basic_api.get_by_id(person.id, associations=["companies"])

    assert [str(each.to_object_id) for each in page.results] == [person.id]
    assert [each.id for each in shown.associations["companies"].results] == [company.id]

    associations.archive("contacts", person.id, "companies", company.id)
    assert associations.get_page("companies", company.id, "contacts").results == []


@pytest.mark.parametrize("version", ["2025-09", "2026-03", "2026-09"])
def test_dated_paths_answer_as_those_of_v3(client: Any, version: str) -> None:
    one = client.crm.contacts.basic_api.get_page(limit=1).results[0].id
    contacts = f"/crm/objects/{version}/contacts"

    listed = client.api_request({"path": f"{contacts}?limit=2"})
    found = client.api_request({"path": f"{contacts}/search", "method": "POST", "body": {"limit": 2}})
    read = client.api_request({"path": f"{contacts}/{one}"})
    known = client.api_request({"path": f"/crm/properties/{version}/contacts"})

    assert [len(each.json()["results"]) for each in (listed, found)] == [2, 2]
    assert read.json()["id"] == one
    assert "phone" in [each["name"] for each in known.json()["results"]]
    assert client.api_request({"path": "/crm/objects/2019-01/contacts"}).status_code == 404
