"""The shapes of Bulk 2.0 answers against recordings of the real service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api

TRAFFIC = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "salesforce"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recordings lie beside the checkout, not in it")


def recorded(end: str) -> list[Any]:
    """Return the recorded answers of 200 to GET of a job's path that ends so, those without placeholder ids."""
    document = json.loads((TRAFFIC / "heroku" / "heroku-applink-nodejs.wiremock-mappings.json").read_text("utf-8"))
    return [
        entry["response"]
        for entry in mappings(document)
        if entry["request"].get("method") == "GET"
        and "/jobs/" in str(entry["request"])
        and (entry["request"].get("urlPath") or entry["request"].get("url", "")).endswith(end)
        and entry["response"]["status"] == 200
    ]


def mappings(document: Any) -> list[Any]:
    if isinstance(document, dict) and "response" in document:
        return [document]
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return [entry for value in inner for entry in mappings(value)]


def start_update(api: Api, data: str) -> str:
    api.org.job_seconds = 0
    body = {"object": "Contact", "operation": "update", "contentType": "CSV"}
    job = f"/jobs/ingest/{api('POST', '/jobs/ingest', json=body).json()['id']}"
    assert api("PUT", job + "/batches", data=data).status_code == 201
    assert api("PATCH", job, json={"state": "UploadComplete"}).status_code == 200
    return job


def test_what_is_told_of_jobs(api: Api, contacts: list[str]) -> None:
    job = start_update(api, f"Id,Title\n{contacts[0]},x\n")
    query = api("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()["id"]
    ours = {"V2Ingest": api("GET", job).json(), "V2Query": api("GET", f"/jobs/query/{query}").json()}
    real = {body["jobType"]: body for answer in recorded("QA0") + recorded("QAG") if (body := answer.get("jsonBody"))}

    assert real.keys() == ours.keys()

    for kind, body in real.items():
        assert body.keys() == ours[kind].keys(), kind
        assert len(body["id"]) == len(ours[kind]["id"])
        assert body["id"][:3] == ours[kind]["id"][:3]

        same = ("state", "concurrencyMode", "contentType", "jobType", "lineEnding", "columnDelimiter")

        assert [body[key] for key in same] == [ours[kind][key] for key in same]


@pytest.mark.parametrize("what", ["successfulResults", "failedResults", "unprocessedrecords"])
def test_the_columns_of_results(api: Api, contacts: list[str], what: str) -> None:
    job = start_update(api, f"Id,Title\n{contacts[0]},x\n,y\n")
    ours = api("GET", f"{job}/{what}")
    real = recorded(f"G/{what}")[0]
    added = [name for name in real["body"].split("\n")[0].split(",") if name.startswith("sf__")]

    assert ours.text.split("\n")[0].split(",") == [*added, "Id", "Title"]
    assert ours.headers["Content-Type"] == real["headers"]["Content-Type"]


def test_the_text_of_a_refused_row(api: Api, contacts: list[str]) -> None:
    (real,) = recorded("G/failedResults")
    text = real["body"].split("\n")[1].split(",")[1]
    job = start_update(api, f"Id,LastName\n{contacts[0]},#N/A\n")
    cells = api("GET", job + "/failedResults").text.split("\n")[1].split(",")

    assert cells[0] == ""
    assert cells[1] == text.replace("[Name]:Name", "[LastName]:LastName")


def test_refusals_of_a_job_that_has_ended(api: Api, contacts: list[str]) -> None:
    job = start_update(api, f"Id,Title\n{contacts[0]},x\n")
    status, error = api.refusal("PATCH", job, json={"state": "Aborted"})
    document = (TRAFFIC / "heroku" / "heroku-applink-nodejs.wiremock-mappings.json").read_text("utf-8")
    real = next(
        entry["response"] for entry in mappings(json.loads(document)) if "INVALIDJOBSTATE" in str(entry["response"])
    )

    assert (status, error) == (real["status"], real["body"][0])
