"""The walk through simple-salesforce's README: each kind of call it shows is answered as the service does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, format_external_id, format_soql
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from .conftest import NOON, VERSION, Api

KEY = "Customer_No__c"


class _Loopback(HTTPAdapter):
    """Carries the library's https to the stand-in in clear text."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **options)


@pytest.fixture
def sf(api: Api) -> Iterator[Any]:
    with requests.Session() as session:
        session.mount("https://", _Loopback())
        yield Salesforce(instance_url=api.root, session_id=api.org.access_token, version=VERSION, session=session)


@pytest.fixture
def keyed(api: Api, sf: Any) -> Any:
    """Give the client of an org whose contacts have a key of another system."""
    metadata = {"type": "Text", "label": "Customer No", "length": 40, "externalId": True, "unique": True}
    body = {"FullName": f"Contact.{KEY}", "Metadata": metadata}
    assert sf.restful("tooling/sobjects/CustomField", method="POST", json=body)["success"]
    api.org.profile["Contact", KEY] = (True, True)
    api.org.forget_access()
    return sf


def test_records_are_made_read_changed_and_deleted(sf: Any) -> None:
    made = sf.Contact.create({"LastName": "Smith", "Email": "example@example.com"})
    sf.Contact.update(made["id"], {"LastName": "Jones", "FirstName": "John"})

    assert sf.Contact.get(made["id"])["Name"] == "John Jones"
    assert sf.Contact.delete(made["id"]) == 204

    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(made["id"])

    window = (NOON - timedelta(days=10), NOON + timedelta(minutes=2))

    assert [row["id"] for row in sf.Contact.deleted(*window)["deletedRecords"]] == [made["id"]]
    assert sf.Contact.updated(*window)["ids"]


def test_records_are_found_and_made_by_an_external_id(keyed: Any) -> None:
    assert keyed.Contact.upsert(f"{KEY}/11999", {"LastName": "Smith", "Email": "smith@example.com"}) == 201
    assert keyed.Contact.upsert(f"{KEY}/11999", {"LastName": "Smythe"}) == 200
    assert keyed.Contact.get_by_custom_id(KEY, "11999")["LastName"] == "Smythe"

    strange = "this & the other"
    keyed.Contact.upsert(format_external_id(KEY, strange), {"LastName": "Strange"})

    found = format_soql("SELECT LastName FROM Contact WHERE Customer_No__c = {}", strange)

    assert keyed.query(found)["totalSize"] == 1
    assert next(f for f in keyed.Contact.describe()["fields"] if f["name"] == KEY)["externalId"] is True

    with pytest.raises(SalesforceResourceNotFound, match="external ID field does not exist"):
        keyed.Contact.get_by_custom_id("Phone", "1")
    with pytest.raises(SalesforceResourceNotFound):
        keyed.Contact.get_by_custom_id(KEY, "nobody")


def test_queries_are_formatted_paged_and_filtered(sf: Any, api: Api) -> None:
    api.org.page_size = 2

    assert len(sf.query_all("SELECT Id, Email FROM Contact")["records"]) == 4
    assert len(list(sf.query_all_iter("SELECT Id, Email FROM Contact"))) == 4

    first = sf.query("SELECT Id, Email, Account.Name FROM Contact")

    assert first["records"][0]["Account"]["Name"] == "Acme"
    assert sf.query_more(first["nextRecordsUrl"], True)["done"]
    assert sf.query_more(first["nextRecordsUrl"].rpartition("/")[2])["done"]

    names = format_soql("SELECT Id FROM Contact WHERE LastName IN {names}", names=["Last1", "O'Neil"])

    assert sf.query(names)["totalSize"] == 2
    assert sf.query(format_soql("SELECT Id FROM Contact WHERE Name LIKE '{:like}%'", "Zo"))["totalSize"] == 1
    assert sf.query("SELECT Id FROM Contact WHERE CreatedDate = LAST_N_DAYS:90")["totalSize"] == 4


def test_searches_look_words_up(sf: Any) -> None:
    assert {row["attributes"]["type"] for row in sf.search("FIND {Last*}")["searchRecords"]} == {"Contact", "Lead"}
    assert len(sf.quick_search("Last1")["searchRecords"]) == 1

    returning = "RETURNING Contact(Id, Name WHERE Phone != null ORDER BY Name DESC), Lead(Name)"
    found = sf.search(f"FIND {{Last*}} IN NAME FIELDS {returning}")["searchRecords"]

    assert [row["Name"] for row in found] == ["First4 Last4", "First1 Last1", "First5 Last5", "First6 Last6"]

    with pytest.raises(SalesforceMalformedRequest, match="longer than one character"):
        sf.search("FIND {x}")


def test_objects_describe_themselves_and_their_layouts(sf: Any) -> None:
    assert "Contact" in [each["name"] for each in sf.describe()["sobjects"]]
    assert sf.Contact.metadata()["objectDescribe"]["name"] == "Contact"

    record_type = sf.Contact.describe()["recordTypeInfos"][-1]["recordTypeId"]

    assert sf.Contact.describe_layout(record_type)["detailLayoutSections"]
    assert sf.restful("limits/recordCount", params={"sObjects": "Contact,Lead"}) == {
        "sObjects": [{"count": 4, "name": "Contact"}, {"count": 2, "name": "Lead"}]
    }
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sf.oauth2("userinfo")["preferred_username"] == api_user(sf)


def api_user(sf: Any) -> str:
    (user,) = sf.query("SELECT Username FROM User WHERE FirstName = 'Integration'")["records"]
    return str(user["Username"])


def test_bulk_jobs_are_queried_and_downloaded(sf: Any, tmp_path: Path) -> None:
    (page,) = sf.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=50_000, wait=0.01)

    assert page.splitlines()[0] == '"Id","Name"'
    files = sf.bulk2.Account.download("SELECT Id, Name FROM Account", path=str(tmp_path), wait=0.01)

    assert [Path(each["file"]).read_text().splitlines()[1] for each in files] == [page.splitlines()[1]]


def test_bulk_jobs_insert_upsert_and_delete(keyed: Any) -> None:
    bulk = keyed.bulk2.Contact
    (made,) = bulk.insert(records=[{"LastName": "Smith", KEY: "1"}, {"LastName": "", KEY: "2"}], wait=0.01)

    assert (made["numberRecordsProcessed"], made["numberRecordsFailed"]) == (2, 1)
    assert "REQUIRED_FIELD_MISSING" in bulk.get_failed_records(made["job_id"])

    bulk.upsert(records=[{KEY: "1", "LastName": "X"}, {KEY: "3", "LastName": "Y"}], external_id_field=KEY, wait=0.01)
    rows = keyed.query(f"SELECT Id, LastName FROM Contact WHERE {KEY} != null ORDER BY {KEY}")["records"]

    assert [row["LastName"] for row in rows] == ["X", "Y"]

    bulk.delete(records=[{"Id": row["Id"]} for row in rows], wait=0.01)

    assert keyed.query(f"SELECT COUNT() FROM Contact WHERE {KEY} != null")["totalSize"] == 0
