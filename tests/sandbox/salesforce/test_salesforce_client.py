"""The real client library against the org: queries, rows, refresh, errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from .conftest import Api


class Loopback(HTTPAdapter):
    """Turns the https that the library insists on into http, for loopback only."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        assert urlsplit(request.url).hostname == "127.0.0.1"
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **options)


@pytest.fixture
def client(api: Api) -> Any:
    with requests.Session() as session:
        session.mount("https://", Loopback())
        yield Salesforce(session_id=api.org.access_token, instance_url=api.root, session=session, version="65.0")


def test_reads_every_page(client: Any, api: Api, contacts: list[str]) -> None:
    api.org.page_size = 1
    records = client.query_all("SELECT Id, Phone FROM Contact ORDER BY Id")["records"]

    assert [record["Id"] for record in records] == contacts
    assert (
        client.query_more(client.query("SELECT Id FROM Lead")["nextRecordsUrl"], identifier_is_url=True)["done"] is True
    )
    assert client.api_usage["api-usage"].total == 100_000


def test_rows(client: Any, api: Api, contacts: list[str]) -> None:
    created = client.Contact.create({"LastName": "New"})

    assert created["success"] is True
    assert client.Contact.update(created["id"], {"Phone": "1"}) == 204
    assert client.Contact.get(created["id"])["Phone"] == "1"
    assert client.Contact.delete(created["id"]) == 204
    assert {field["name"] for field in client.Contact.describe()["fields"]} >= {"Phone", "RF_Phone_E164__c"}
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000

    since, until = api.org.clock.now().replace(hour=1), api.org.clock.now()

    assert client.Contact.updated(since, until)["latestDateCovered"] == "2026-11-24T12:00:00.000+0000"

    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.Contact.update(contacts[0], {"Bacon": "1"})

    assert caught.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_collections_composite_and_tooling(client: Any, contacts: list[str]) -> None:
    body = {"records": [{"attributes": {"type": "Contact"}, "id": contacts[0], "Phone": "1"}]}

    assert client.restful("composite/sobjects", method="PATCH", json=body)[0]["success"] is True

    sub = {"method": "GET", "referenceId": "a", "url": "/services/data/v65.0/query?q=SELECT+Id+FROM+Lead"}
    answer = client.restful("composite", method="POST", json={"compositeRequest": [sub]})

    assert answer["compositeResponse"][0]["body"]["totalSize"] == 2

    field = {"FullName": "Lead.X__c", "Metadata": {"type": "Text", "label": "X", "length": 5}}

    assert client.toolingexecute("sobjects/CustomField", method="POST", data=field)["success"] is True


def test_an_expired_session(client: Any, api: Api) -> None:
    api.org.expire_tokens()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead")


def test_logs_in_with_client_credentials_of_our_own(client: Any, api: Api) -> None:
    form = {"grant_type": "client_credentials", "client_id": api.org.client_id, "client_secret": api.org.client_secret}
    body = requests.post(f"{api.root}/services/oauth2/token", data=form, timeout=10).json()
    renewed = Salesforce(
        session_id=body["access_token"], instance_url=body["instance_url"], session=client.session, version="65.0"
    )

    assert renewed.query("SELECT COUNT() FROM Lead")["totalSize"] == 2
