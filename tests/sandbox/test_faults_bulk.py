"""Faults of Bulk 2.0 jobs, over real sockets."""

from __future__ import annotations

import pytest
import requests

from .conftest import World

INGEST = {"object": "Contact", "operation": "update", "contentType": "CSV"}
AT_START = "when: {method: PATCH, path: '/jobs/ingest/{job_id}'}"
QUICK = "salesforce: {job_seconds: 0, job_batch_rows: 2}"


def update(world: World, rows: int = 8) -> str:
    """Run an update of the first contacts' titles and return the path of the job."""
    ids = list(world.sandbox.salesforce.rows("Contact"))[:rows]
    job = f"/jobs/ingest/{world.salesforce('POST', '/jobs/ingest', json=INGEST).json()['id']}"
    data = "Id,Title\n" + "".join(f"{row_id},x\n" for row_id in ids)
    assert world.salesforce("PUT", job + "/batches", data=data).status_code == 201
    assert world.salesforce("PATCH", job, json={"state": "UploadComplete"}).status_code == 200
    return job


def query(world: World) -> str:
    body = {"operation": "query", "query": "SELECT Id FROM Contact"}
    return f"/jobs/query/{world.salesforce('POST', '/jobs/query', json=body).json()['id']}"


def listed(world: World, job: str, what: str) -> list[str]:
    return world.salesforce("GET", f"{job}/{what}").text.splitlines()[1:]


def test_a_job_fails_half_way_and_names_the_rest(world: World) -> None:
    world.faults(f"{{service: salesforce, {AT_START}, fault: {{kind: fail_jobs, done: 0.6}}}}", QUICK)
    job = update(world)
    info = world.salesforce("GET", job).json()

    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("Failed", 4, 0)
    assert info["errorMessage"] == "InternalServerError : A batch could not be processed after 20 retries"

    written = [line.split(",")[0] for line in listed(world, job, "successfulResults")]
    rest = [line.split(",")[0] for line in listed(world, job, "unprocessedrecords")]

    assert written + rest == list(world.sandbox.salesforce.rows("Contact"))[:8]

    world.sandbox.faults = None

    assert world.salesforce("GET", update(world)).json()["state"] in ("UploadComplete", "InProgress", "JobComplete")


def test_a_query_job_fails(world: World) -> None:
    world.faults(
        "{service: salesforce, when: {path: /jobs/query, nth: 1}, fault: {kind: fail_jobs, message: Oops}}", QUICK
    )
    job = query(world)
    info = world.salesforce("GET", job).json()

    assert (info["state"], info["errorMessage"]) == ("Failed", "Oops")
    assert world.salesforce("GET", job + "/results").status_code == 412
    assert world.salesforce("GET", query(world)).json()["state"] == "JobComplete"


def test_rows_of_a_job_are_refused_by_the_rules_of_the_request_that_starts_it(world: World) -> None:
    ids = list(world.sandbox.salesforce.rows("Contact"))
    world.faults(
        f"{{service: salesforce, {AT_START}, fault: {{kind: refuse_rows, ids: [{ids[1]}]}}}},"
        f"{{service: salesforce, {AT_START}, fault: {{kind: lock_rows, fraction: 1.0, tries: 1}}}}",
        QUICK,
    )
    job = update(world)
    failed = listed(world, job, "failedResults")

    assert len(failed) == 8
    assert all("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1" in line for line in failed)

    (line,) = listed(world, update(world), "failedResults")

    assert line == f",FIELD_CUSTOM_VALIDATION_EXCEPTION:Sandbox rule: this record may not be changed:--,{ids[1]},x"

    path = f"/sobjects/Contact/{ids[1]}"

    assert world.salesforce("PATCH", path, json={"Title": "y"}).status_code == 204


def test_jobs_are_forgotten(world: World) -> None:
    world.faults(
        "{service: salesforce, when: {path: '/jobs/query/{job_id}/results', nth: 2}, fault: {kind: drop_jobs}}", QUICK
    )
    job = query(world)

    assert world.salesforce("GET", job + "/results?maxRecords=2").headers["Sforce-Locator"] == "Mg"

    gone = world.salesforce("GET", job + "/results?maxRecords=2&locator=Mg")

    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_answers_of_jobs_can_be_lost_cut_and_refused(world: World) -> None:
    world.faults(
        "{service: salesforce, when: {method: POST, path: /jobs/ingest, nth: 1}, "
        "fault: {kind: reset, after_commit: true}},"
        "{service: salesforce, when: {method: GET, path: '/jobs/query/{job_id}', nth: 1}, "
        "fault: {kind: refuse, status: 503}},"
        "{service: salesforce, when: {path: '/jobs/query/{job_id}/results', nth: 1}, "
        "fault: {kind: truncate, kept: 0.5}}",
        QUICK,
    )
    with pytest.raises(requests.ConnectionError):
        world.salesforce("POST", "/jobs/ingest", json=INGEST)

    assert [job["state"] for job in world.salesforce("GET", "/jobs/ingest").json()["records"]][-1] == "Open"

    job = query(world)

    assert world.salesforce("GET", job).status_code == 503
    assert world.salesforce("GET", job).json()["state"] == "JobComplete"

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        world.salesforce("GET", job + "/results", headers={"Accept-Encoding": "identity"})

    assert world.salesforce("GET", job + "/results").headers["Sforce-Locator"] == "null"


def test_the_settings_of_jobs_come_from_the_file_and_go_with_it(world: World) -> None:
    org = world.sandbox.salesforce
    before = (org.job_seconds, org.job_batch_rows, org.upload_mb)
    world.faults("", "salesforce: {job_seconds: 3, job_batch_rows: 7, upload_mb: 9, daily_query_jobs: 0}")

    assert (org.job_seconds, org.job_batch_rows, org.upload_mb) == (3, 7, 9)

    body = {"operation": "query", "query": "SELECT Id FROM Contact"}

    assert world.salesforce("POST", "/jobs/query", json=body).json()[0]["errorCode"] == "LIMIT_EXCEEDED"

    world.sandbox.faults = None

    assert (org.job_seconds, org.job_batch_rows, org.upload_mb) == before
