"""The shapes of the org's answers against recordings of the real service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api

TRAFFIC = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "salesforce"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recordings lie beside the checkout, not in it")


def recorded(name: str) -> Any:
    return json.loads((TRAFFIC / name).read_text("utf-8"))


def exchanges(name: str, method: str, part: str) -> list[Any]:
    return [
        entry["response"]
        for entry in recorded(name)
        if entry["request"]["method"] == method and part in entry["request"]["url"]
    ]


def recorded_errors() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("heroku-applink-nodejs", "sf-functions-python"):
        for entry in mappings(recorded(f"heroku/{name}.wiremock-mappings.json")):
            body = entry["response"].get("body")
            if "/jobs/" not in json.dumps(entry["request"]) and isinstance(body, list):
                found.setdefault(body[0]["errorCode"], (entry["response"]["status"], body[0]))
    return found


def mappings(document: Any) -> list[Any]:
    if isinstance(document, dict) and "response" in document:
        return [document]
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return [entry for value in inner for entry in mappings(value)]


def same_shape(real: Any, ours: Any) -> bool:
    if isinstance(real, dict):
        return isinstance(ours, dict) and real.keys() == ours.keys()
    return type(real) is type(ours)


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_describe_has_the_recorded_keys_and_agrees_on_every_common_field(api: Api, name: str) -> None:
    real = recorded(f"grouparoo/describe-{name}.v42.json")["response"]["body"]
    ours = api("GET", f"/sobjects/{name}/describe").json()

    assert real.keys() == ours.keys()
    assert real["urls"].keys() - ours["urls"].keys() <= {"uiDetailTemplate", "uiEditTemplate", "uiNewRecord"}

    theirs = {field["name"]: field for field in real["fields"]}
    compared = (
        "type",
        "length",
        "byteLength",
        "label",
        "nillable",
        "updateable",
        "filterable",
        "sortable",
        "permissionable",
        "soapType",
        "compoundFieldName",
        "restrictedPicklist",
        "extraTypeInfo",
        "aggregatable",
    )
    common = [field for field in ours["fields"] if field["name"] in theirs]

    assert len(common) > 30

    for field in common:
        other = theirs[field["name"]]

        assert field.keys() == other.keys()

        differing = [key for key in compared if field[key] != other[key]]

        assert not differing, (field["name"], {key: (field[key], other[key]) for key in differing})


def test_query_pages(api: Api) -> None:
    real = next(answer for answer in exchanges("grouparoo/query.json", "GET", "Contact") if answer["body"]["records"])
    response = api("GET", "/query", params={"q": "SELECT Id, Email FROM Contact LIMIT 1"})

    assert same_shape(real["body"], response.json())
    assert real["body"]["records"][0].keys() == response.json()["records"][0].keys()
    assert list(real["body"]["records"][0]) == list(response.json()["records"][0])

    for header in ("Date", "Cache-Control", "Sforce-Limit-Info", "Content-Type"):
        assert header in response.headers

    assert response.headers["Content-Type"] == real["headers"]["Content-Type"]
    assert response.headers["Cache-Control"] == real["headers"]["Cache-Control"]


def test_rows_and_collections(api: Api, contacts: list[str]) -> None:
    real = exchanges("grouparoo/sobject-rows.json", "GET", "/Contact/")[0]
    response = api("GET", f"/sobjects/Contact/{contacts[0]}")

    assert real["headers"].keys() - {"Vary", "Transfer-Encoding"} <= response.headers.keys()
    assert response.json()["CreatedDate"][10:].count(":") == real["body"]["CreatedDate"][10:].count(":")
    assert len(response.json()["CreatedDate"]) == len(real["body"]["CreatedDate"])

    refused = [
        row
        for answer in exchanges("grouparoo/composite-sobjects-collections.json", "PATCH", "")
        for row in answer["body"]
        if not row["success"]
    ]
    body = {"records": [{"attributes": {"type": "Contact"}, "id": contacts[0], "Email": "badone"}]}
    (ours,) = api("PATCH", "/composite/sobjects", json=body).json()

    assert ours.keys() == refused[0].keys()
    assert ours["errors"][0].keys() == refused[0]["errors"][0].keys()
    assert ours["errors"][0]["statusCode"] in {row["errors"][0]["statusCode"] for row in refused}


def test_updated_and_deleted(api: Api) -> None:
    fixtures = recorded("restforce/fixtures.json")
    for kind in ("updated", "deleted"):
        real = fixtures[f"sobject/get_{kind}_success_response.json"]
        params = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T12:00:00Z"}
        ours = api("GET", f"/sobjects/Contact/{kind}", params=params).json()

        assert real.keys() == ours.keys()
        assert len(real["latestDateCovered"]) == len(ours["latestDateCovered"])


def test_tokens_and_limits(api: Api) -> None:
    fixtures = recorded("restforce/fixtures.json")
    form = {"grant_type": "client_credentials", "client_id": api.org.client_id, "client_secret": api.org.client_secret}
    granted = api("POST", "/services/oauth2/token", data=form).json()

    assert fixtures["auth_success_response.json"].keys() <= granted.keys()

    refused = api("POST", "/services/oauth2/token", data={}).json()

    assert fixtures["auth_error_response.json"].keys() == refused.keys()

    real = recorded("camel-limits.json")["DailyApiRequests"]

    assert real.keys() == api("GET", "/limits").json()["DailyApiRequests"].keys()


def test_refusals(api: Api, contacts: list[str]) -> None:
    real = recorded_errors()
    api.org.delete("Contact", contacts[1])
    row = f"/sobjects/Contact/{contacts[0]}"
    refusals = {
        "INVALID_FIELD": api.refusal("PATCH", row, json={"Bacon__c": "x"}),
        "MALFORMED_QUERY": api.refusal("GET", "/query?q=SELEKT+Name+FROM+Account"),
        "NOT_FOUND": api.refusal("GET", "/sobjects/Contact/0035i00000000zzAAA"),
        "ENTITY_IS_DELETED": api.refusal("DELETE", f"/sobjects/Contact/{contacts[1]}"),
        "MALFORMED_ID": api.refusal("PATCH", "/sobjects/Contact/x", json={}),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": api.refusal("PATCH", row, json={"CleanStatus": "x"}),
        "REQUIRED_FIELD_MISSING": api.refusal("POST", "/sobjects/Account", json={}),
        "INVALID_SESSION_ID": api.refusal("GET", "/limits", headers={"Authorization": "Bearer x"}),
    }
    for code, (status, ours) in refusals.items():
        expected_status, theirs = real[code]
        assert (status, ours.keys()) == (expected_status, theirs.keys()), code

    assert refusals["MALFORMED_QUERY"][1] == real["MALFORMED_QUERY"][1]
    assert refusals["ENTITY_IS_DELETED"][1] == real["ENTITY_IS_DELETED"][1]

    soql = "SELECT Bacon__c FROM Account LIMIT 2"
    caret = api.refusal("GET", "/query", params={"q": soql})[1]["message"]

    assert caret in json.dumps(recorded("heroku/heroku-applink-nodejs.wiremock-mappings.json")).replace("\\n", "\n")
