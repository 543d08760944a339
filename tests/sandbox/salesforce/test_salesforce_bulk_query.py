"""Bulk API 2.0 query jobs: states, pages of CSV, what is refused, and the limits of a day."""

from __future__ import annotations

import csv
import gzip
import io
import time
from typing import Any

import pytest
import requests

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.salesforce.bulk_extract import QueryJob

from .conftest import Api

SOQL = "SELECT Id, LastName, DoNotCall, SystemModstamp, MobilePhone FROM Contact"


def start(api: Api, soql: str = SOQL, **more: Any) -> str:
    response = api("POST", "/jobs/query", json={"operation": "query", "query": soql, **more})
    assert response.status_code == 200, response.text
    return response.json()["id"]


def finished(api: Api, soql: str = SOQL, **more: Any) -> str:
    api.org.job_seconds = 0
    job = start(api, soql, **more)
    with api.org.lock:  # no request, for some tests count them
        api.org.jobs.advance(api.org.clock)
    return job


def rows(response: requests.Response, **form: Any) -> list[list[str]]:
    assert response.status_code == 200, response.text
    return list(csv.reader(io.StringIO(response.content.decode(), newline=""), **form))


def pages(api: Api, job: str, size: int) -> list[list[list[str]]]:
    found, locator = [], None
    while locator != "null":
        params = {"maxRecords": size, **({"locator": locator} if locator else {})}
        response = api("GET", f"/jobs/query/{job}/results", params=params)
        found.append(rows(response))
        assert int(response.headers["Sforce-NumberOfRecords"]) == len(found[-1]) - 1
        locator = response.headers["Sforce-Locator"]
    return found


def test_a_job_goes_through_its_states_in_its_time(api: Api, clock: SandboxClock) -> None:
    api.org.job_seconds = 1000
    created = api("POST", "/jobs/query", json={"operation": "query", "query": SOQL}).json()

    assert list(created) == [
        "id",
        "operation",
        "object",
        "createdById",
        "createdDate",
        "systemModstamp",
        "state",
        "concurrencyMode",
        "contentType",
        "apiVersion",
        "lineEnding",
        "columnDelimiter",
    ]
    assert (created["state"], created["object"], created["apiVersion"]) == ("UploadComplete", "Contact", 65.0)
    assert created["id"].startswith("750")

    path = f"/jobs/query/{created['id']}"
    seen = []
    for seconds in (0, 300, 400, 400):
        clock.advance(seconds)
        job = api("GET", path).json()
        seen.append((job["state"], job["numberRecordsProcessed"], job["jobType"]))

    assert seen == [
        ("UploadComplete", 0, "V2Query"),
        ("InProgress", 1, "V2Query"),
        ("InProgress", 2, "V2Query"),
        ("JobComplete", 4, "V2Query"),
    ]
    assert [job["id"] for job in api("GET", "/jobs/query").json()["records"]] == [created["id"]]


def test_a_clock_that_is_set_back_does_not_undo_a_state(api: Api, clock: SandboxClock) -> None:
    api.org.job_seconds = 100
    job = start(api)
    clock.advance(50)

    assert api("GET", f"/jobs/query/{job}").json()["state"] == "InProgress"

    clock.advance(-3600)

    assert api("GET", f"/jobs/query/{job}").json()["state"] == "InProgress"

    clock.advance(101)

    assert api("GET", f"/jobs/query/{job}").json()["state"] == "JobComplete"


def test_the_time_of_a_job_passes_without_requests(api: Api) -> None:
    api.org.job_seconds = 0.05
    start(api)
    (job,) = api.org.jobs.every(QueryJob)
    deadline = time.monotonic() + 10
    while job.state != "JobComplete" and time.monotonic() < deadline:
        time.sleep(0.005)

    assert job.state == "JobComplete"


def test_results_come_as_csv_in_pages_that_can_be_asked_for_again(api: Api, contacts: list[str]) -> None:
    job = finished(api)
    found = pages(api, job, 3)

    assert [len(page) for page in found] == [4, 2]

    header = ["Id", "LastName", "DoNotCall", "SystemModstamp", "MobilePhone"]

    assert [page[0] for page in found] == [header, header]

    by_id = {row[0]: row for page in found for row in page[1:]}

    assert sorted(by_id) == contacts
    assert by_id[contacts[0]][1:] == ["Last1", "false", "2026-11-23T12:00:30.000Z", "415.555.0111"]
    assert by_id[contacts[1]][1:] == ["Last2", "true", "2026-11-22T12:00:30.000Z", ""]
    assert pages(api, job, 3) == found
    assert api("GET", f"/jobs/query/{job}/results").headers["Sforce-Locator"] == "null"


def test_the_raw_csv_has_every_cell_in_quotes_and_the_asked_line_ends(api: Api, contacts: list[str]) -> None:
    api.org.update_as_user("Contact", contacts[0], LastName='a "b", c\nd\r\ne', Title=None)
    soql = f"SELECT LastName, Title FROM Contact WHERE Id = '{contacts[0]}'"
    plain = api("GET", f"/jobs/query/{finished(api, soql)}/results")

    assert plain.content == b'"LastName","Title"\n"a ""b"", c\nd\r\ne",""\n'
    assert plain.headers["Content-Type"] == "text/csv"

    other = finished(api, soql, lineEnding="CRLF", columnDelimiter="PIPE")

    assert api("GET", f"/jobs/query/{other}/results").content == b'"LastName"|"Title"\r\n"a ""b"", c\nd\r\ne"|""\r\n'


def test_results_are_compressed_for_those_who_take_it(api: Api) -> None:
    path = f"/jobs/query/{finished(api)}/results"
    packed = api("GET", path, stream=True, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"

    plain = api("GET", path, headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content


def test_rows_are_found_when_the_job_is_made_and_are_as_they_are_when_it_reads_them(
    api: Api, clock: SandboxClock, contacts: list[str]
) -> None:
    api.org.job_seconds = 1000
    job = start(api, "SELECT Id, Phone FROM Contact")

    assert api("POST", "/sobjects/Contact", json={"LastName": "Later"}).status_code == 201

    api.org.update_as_user("Contact", contacts[0], Phone="+1 201 555 0199")
    clock.advance(1000)

    assert api("GET", f"/jobs/query/{job}").json()["state"] == "JobComplete"

    api.org.update_as_user("Contact", contacts[0], Phone="+1 201 555 0100")
    api.org.delete("Contact", contacts[1])
    found = dict(rows(api("GET", f"/jobs/query/{job}/results"))[1:])

    assert found[contacts[0]] == "+1 201 555 0199"
    assert len(found) == 4


def test_rows_are_not_in_the_order_of_ids_unless_that_is_asked_for(api: Api) -> None:
    for number in range(40):
        assert api("POST", "/sobjects/Contact", json={"LastName": str(number)}).status_code == 201

    first = [row[0] for row in rows(api("GET", f"/jobs/query/{finished(api)}/results"))[1:]]

    assert first != sorted(first)
    assert len(set(first)) == 44

    ordered = finished(api, SOQL + " ORDER BY Id")

    assert [row[0] for row in rows(api("GET", f"/jobs/query/{ordered}/results"))[1:]] == sorted(first)


def test_query_all_sees_deleted_rows(api: Api, contacts: list[str]) -> None:
    api.org.delete("Contact", contacts[1])
    everything = finished(api, operation="queryAll")

    assert api("GET", f"/jobs/query/{everything}").json()["numberRecordsProcessed"] == 4
    assert api("GET", f"/jobs/query/{finished(api)}").json()["numberRecordsProcessed"] == 3


def test_an_empty_result_is_a_header(api: Api) -> None:
    job = finished(api, SOQL + " WHERE LastName = 'nobody'")
    response = api("GET", f"/jobs/query/{job}/results")

    assert rows(response) == [["Id", "LastName", "DoNotCall", "SystemModstamp", "MobilePhone"]]
    assert (response.headers["Sforce-NumberOfRecords"], response.headers["Sforce-Locator"]) == ("0", "null")


@pytest.mark.parametrize(
    ("soql", "code", "expected"),
    [
        ("SELECT COUNT() FROM Contact", "API_ERROR", "Aggregate"),
        ("SELECT Id FROM Contact LIMIT 3 OFFSET 2", "API_ERROR", "OFFSET"),
        ("SELECT LastName FROM Contact GROUP BY LastName", "API_ERROR", "GROUP BY"),
        ("SELECT MailingAddress FROM Contact", "API_ERROR", "Selecting compound data not supported in Bulk Query"),
        ("SELECT Bacon FROM Contact", "INVALID_FIELD", "No such column 'Bacon'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected end of query"),
    ],
)
def test_what_a_job_cannot_query_is_refused_at_once(api: Api, soql: str, code: str, expected: str) -> None:
    status, error = api.refusal("POST", "/jobs/query", json={"operation": "query", "query": soql})

    assert (status, error["errorCode"]) == (400, code)
    assert expected in error["message"]
    assert api("GET", "/jobs/query").json()["records"] == []


def test_words_of_a_string_are_not_parts_of_the_query(api: Api) -> None:
    assert finished(api, "SELECT Id FROM Contact WHERE LastName = 'the group \\'x\\' having'")


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "insert", "query": SOQL},
        {"operation": "query"},
        {"operation": "query", "query": SOQL, "contentType": "JSON"},
        {"operation": "query", "query": SOQL, "lineEnding": "CR"},
        {"operation": "query", "query": SOQL, "columnDelimiter": ";"},
    ],
)
def test_a_job_that_cannot_be_is_refused(api: Api, body: dict[str, str]) -> None:
    status, error = api.refusal("POST", "/jobs/query", json=body)
    assert (status, error["errorCode"]) == (400, "INVALIDJOB")


def test_results_of_another_version_or_too_early(api: Api) -> None:
    job = finished(api)

    assert api.refusal("GET", f"/services/data/v64.0/jobs/query/{job}/results")[0] == 409

    api.org.job_seconds = 1000
    status, error = api.refusal("GET", f"/jobs/query/{start(api)}/results")

    assert (status, error["errorCode"]) == (412, "JOB_NOT_COMPLETE")
    assert error["message"].endswith("Current status: UPLOAD_COMPLETE")


@pytest.mark.parametrize("locator", ["MA", "OTk", "x", "%C3%A9", "NA", "LTE"])
def test_locators_that_were_not_given(api: Api, locator: str) -> None:
    job = finished(api)
    status, error = api.refusal("GET", f"/jobs/query/{job}/results?locator={locator}")

    assert (status, error["errorCode"]) == (400, "INVALID_LOCATOR")


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_page_sizes_that_are_none(api: Api, size: str) -> None:
    assert api.refusal("GET", f"/jobs/query/{finished(api)}/results?maxRecords={size}")[0] == 400


def test_aborting_and_deleting(api: Api, clock: SandboxClock) -> None:
    api.org.job_seconds = 1000
    job = f"/jobs/query/{start(api)}"
    clock.advance(500)

    assert api.refusal("DELETE", job)[1]["errorCode"] == "INVALIDJOBSTATE"
    assert api.refusal("PATCH", job, json={"state": "UploadComplete"})[1]["errorCode"] == "INVALIDJOB"
    assert api("PATCH", job, json={"state": "Aborted"}).json()["state"] == "Aborted"

    clock.advance(5000)

    assert api("GET", job).json()["state"] == "Aborted"
    assert api.refusal("GET", job + "/results")[1]["message"].endswith("Current status: ABORTED")
    assert api.refusal("PATCH", job, json={"state": "Aborted"})[1]["errorCode"] == "INVALIDJOBSTATE"

    deleted = api("DELETE", job)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.refusal("GET", job)[0] == 404

    ended = f"/jobs/query/{finished(api)}"

    assert api.refusal("PATCH", ended, json={"state": "Aborted"}) == (
        400,
        {"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"},
    )


def test_jobs_are_kept_for_seven_days(api: Api, clock: SandboxClock) -> None:
    job = f"/jobs/query/{finished(api)}"

    assert api("GET", job[:-3]).json()["id"] == job[-18:]

    clock.advance(6 * 86_400)

    assert api("GET", job + "/results").status_code == 200

    clock.advance(86_400)

    assert api.refusal("GET", job)[0] == 404


def test_the_limits_of_a_day(api: Api, clock: SandboxClock) -> None:
    api.org.daily_query_jobs = 2
    first, _ = finished(api), finished(api)
    body = {"operation": "query", "query": SOQL}

    assert api.refusal("POST", "/jobs/query", json=body) == (
        400,
        {"errorCode": "LIMIT_EXCEEDED", "message": "Max bulk v2 query jobs (2) per 24 hrs has been reached (2)"},
    )
    assert api("GET", "/limits").json()["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 0}
    assert api("GET", f"/jobs/query/{first}/results").status_code == 200

    clock.advance(86_400)

    assert finished(api)

    api.org.daily_query_kb = 0

    assert api.refusal("POST", "/jobs/query", json=body)[1] == {
        "errorCode": "LIMIT_EXCEEDED",
        "message": "Max bulk v2 query result size stored (0) kb per 24 hrs has been exceeded",
    }


def test_what_was_read_counts_towards_the_limit_of_a_day(api: Api) -> None:
    for number in range(40):
        assert api("POST", "/sobjects/Contact", json={"LastName": str(number)}).status_code == 201

    api.org.daily_query_kb = 1
    finished(api)
    body = {"operation": "query", "query": SOQL}

    assert "size stored (1) kb" in api.refusal("POST", "/jobs/query", json=body)[1]["message"]


def test_every_request_of_a_job_counts_as_an_api_call(api: Api) -> None:
    job = finished(api)
    results = api("GET", f"/jobs/query/{job}/results")

    assert results.headers["Sforce-Limit-Info"] == "api-usage=2/100000"
    assert api("DELETE", f"/jobs/query/{job}").headers["Sforce-Limit-Info"] == "api-usage=3/100000"
    assert api.org.requests == {
        "POST /jobs/query": 1,
        "GET /jobs/query/{job_id}/results": 1,
        "DELETE /jobs/query/{job_id}": 1,
    }

    api.org.expire_tokens()

    assert api.refusal("POST", "/jobs/query", json={})[1]["errorCode"] == "INVALID_SESSION_ID"


def test_jobs_are_not_part_of_composite_calls(api: Api) -> None:
    sub = {"method": "GET", "referenceId": "a", "url": "/services/data/v65.0/jobs/query/7505i0000000001"}
    (answer,) = api("POST", "/composite", json={"compositeRequest": [sub]}).json()["compositeResponse"]

    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "INVALID_INPUT")
