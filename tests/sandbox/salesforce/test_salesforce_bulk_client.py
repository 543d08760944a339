"""The Bulk 2.0 handler of the real client library against the org."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceOperationError

from .conftest import Api

WAIT = 0.01


class Loopback(HTTPAdapter):
    """Turns the https that the library insists on into http."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        request.url = request.url.replace("https://127.0.0.1:", "http://127.0.0.1:", 1)
        return super().send(request, *args, **options)


@pytest.fixture
def client(api: Api) -> Any:
    api.org.job_seconds = 0.05
    with requests.Session() as session:
        session.mount("https://", Loopback())
        yield Salesforce(session_id=api.org.access_token, instance_url=api.root, session=session, version="65.0")


def test_query_yields_pages(client: Any, api: Api, contacts: list[str]) -> None:
    pages = list(client.bulk2.Contact.query("SELECT Id, Phone, LastName FROM Contact", max_records=3, wait=WAIT))
    read = [list(csv.DictReader(page.splitlines())) for page in pages]

    assert [len(page) for page in read] == [3, 1]

    rows = {row["Id"]: row for page in read for row in page}

    assert sorted(rows) == contacts
    assert rows[contacts[2]]["LastName"] == "O'Neil"
    assert rows[contacts[1]]["Phone"] == ""


def test_query_all_and_download(client: Any, api: Api, contacts: list[str], tmp_path: Path) -> None:
    api.org.delete("Contact", contacts[0])
    (page,) = client.bulk2.Contact.query_all("SELECT Id FROM Contact", wait=WAIT)

    assert contacts[0] in page

    parts = client.bulk2.Contact.download("SELECT Id FROM Contact", str(tmp_path), max_records=2, wait=WAIT)

    assert [part["number_of_records"] for part in parts] == [2, 1]

    found = [line for part in parts for line in Path(part["file"]).read_text("utf-8").splitlines()[1:]]

    assert sorted(found) == [f'"{row_id}"' for row_id in contacts[1:]]


def test_update_and_its_three_lists(client: Any, api: Api, contacts: list[str]) -> None:
    api.org.restrict_picklist("Contact", "RF_Phone_Status__c")
    records = [
        {"Id": contacts[0], "Title": "Chief", "RF_Phone_Status__c": "valid"},
        {"Id": contacts[1], "Title": "#N/A", "RF_Phone_Status__c": "wrong"},
    ]
    (result,) = client.bulk2.Contact.update(records=records, wait=WAIT)

    assert (result["numberRecordsTotal"], result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (2, 2, 1)

    lists = client.bulk2.Contact.get_all_ingest_records(result["job_id"])

    assert [row["sf__Id"] for row in lists["successfulRecords"]] == [contacts[0]]
    assert [row["Id"] for row in lists["failedRecords"]] == [contacts[1]]
    assert lists["failedRecords"][0]["sf__Error"].startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:")
    assert lists["unprocessedRecords"] == []
    assert api.org.rows("Contact")[contacts[0]]["Title"] == "Chief"
    assert api.org.requests["PUT /jobs/ingest/{job_id}/batches"] == 1


def test_a_job_that_fails_is_an_error_there(client: Any, contacts: list[str]) -> None:
    with pytest.raises(SalesforceOperationError, match="Field name not found : Bacon"):
        client.bulk2.Contact.update(records=[{"Id": contacts[0], "Bacon": "x"}], wait=WAIT)
