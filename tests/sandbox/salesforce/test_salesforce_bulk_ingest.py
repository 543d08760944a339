"""Bulk API 2.0 ingest jobs: upload, batches, the three lists of results, and what ends a job early."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.salesforce.bulk_load import IngestJob

from .conftest import Api

UPDATE = {"object": "Contact", "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
STATUS = "RF_Phone_Status__c"


def opened(api: Api, **more: Any) -> str:
    response = api("POST", "/jobs/ingest", json={**UPDATE, **more})
    assert response.status_code == 200, response.text
    return f"/jobs/ingest/{response.json()['id']}"


def sheet(columns: list[str], *rows: list[str], ending: str = "\n", delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, delimiter=delimiter).writerows([columns, *rows])
    return text.getvalue().encode()


def sent(api: Api, data: bytes, **more: Any) -> str:
    """Upload and close; return the job's path."""
    job = opened(api, **more)
    response = api("PUT", job + "/batches", data=data, headers={"Content-Type": "text/csv"})
    assert (response.status_code, response.content) == (201, b"")
    closed = api("PATCH", job, json={"state": "UploadComplete"})
    assert (closed.status_code, closed.json()["state"]) == (200, "UploadComplete")
    return job


def done(api: Api, columns: list[str], *rows: list[str], **more: Any) -> str:
    api.org.job_seconds = 0
    return sent(api, sheet(columns, *rows), **more)


def listed(api: Api, job: str, what: str) -> list[list[str]]:
    response = api("GET", f"{job}/{what}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv"
    return list(csv.reader(io.StringIO(response.content.decode(), newline="")))


def counts(api: Api, job: str) -> tuple[str, int, int]:
    body = api("GET", job).json()
    return body["state"], body["numberRecordsProcessed"], body["numberRecordsFailed"]


def test_an_update_from_create_to_delete(api: Api, contacts: list[str]) -> None:
    created = api("POST", "/jobs/ingest", json=UPDATE).json()

    assert created["state"] == "Open"

    job = f"/jobs/ingest/{created['id']}"

    assert created["contentUrl"] == f"services/data/v65.0{job}/batches"

    api.org.job_seconds = 0
    data = sheet(["Id", "Title", "DoNotCall"], [contacts[0], 'a\n"b", c', "true"], [contacts[1][:15], "d", "FALSE"])

    assert api("PUT", job + "/batches", data=data).status_code == 201
    assert api("PATCH", job, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert counts(api, job) == ("JobComplete", 2, 0)

    rows = api.org.rows("Contact")

    assert (rows[contacts[0]]["Title"], rows[contacts[0]]["DoNotCall"]) == ('a\n"b", c', True)
    assert (rows[contacts[1]]["Title"], rows[contacts[1]]["DoNotCall"]) == ("d", False)
    assert rows[contacts[0]]["LastModifiedById"] == api.org.user_id
    assert listed(api, job, "successfulResults") == [
        ["sf__Id", "sf__Created", "Id", "Title", "DoNotCall"],
        [contacts[0], "false", contacts[0], 'a\n"b", c', "true"],
        [contacts[1], "false", contacts[1][:15], "d", "FALSE"],
    ]
    assert listed(api, job, "failedResults") == [["sf__Id", "sf__Error", "Id", "Title", "DoNotCall"]]

    for spelling in ("unprocessedrecords", "unprocessedRecords"):
        assert listed(api, job, spelling) == [["Id", "Title", "DoNotCall"]]

    assert api("DELETE", job).status_code == 204
    assert api.refusal("GET", job)[0] == 404
    assert api.org.api_usage == 10


def test_an_empty_cell_changes_nothing_and_na_is_null(api: Api, contacts: list[str]) -> None:
    before = dict(api.org.rows("Contact")[contacts[0]])
    job = done(api, ["Id", "Phone", "MobilePhone", "Title"], [contacts[0], "", "#N/A", "#N/A"])

    assert counts(api, job) == ("JobComplete", 1, 0)

    row = api.org.rows("Contact")[contacts[0]]

    assert (row["Phone"], row["MobilePhone"]) == (before["Phone"], None)


def test_refused_rows_say_why_and_the_others_pass(api: Api, contacts: list[str], leads: list[str]) -> None:
    api.org.restrict_picklist("Contact", STATUS)
    api.org.delete("Contact", contacts[3])
    never = contacts[0][:12] + "zzz"
    bad = {
        contacts[1]: (["bad", "", ""], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:", f":{STATUS} --"),
        contacts[2]: (["", "maybe", ""], "INVALID_TYPE_ON_FIELD_IN_RECORD:", ":--"),
        contacts[3]: (["valid", "", ""], "ENTITY_IS_DELETED:entity is deleted:--", ""),
        never: (["valid", "", ""], "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", ""),
        leads[0]: (["valid", "", ""], "MALFORMED_ID:", ":Id --"),
        "": (["valid", "", ""], "MISSING_ARGUMENT:Id not specified in an update call:Id --", ""),
        contacts[0]: (["", "", "x" * 81], "STRING_TOO_LONG:", ":LastName --"),
    }
    rows = [[row_id, *cells] for row_id, (cells, _, _) in bad.items()]
    job = done(api, ["Id", STATUS, "DoNotCall", "LastName"], *rows, [contacts[0], "valid", "true", ""])

    assert counts(api, job) == ("JobComplete", 8, 7)

    head, *failed = listed(api, job, "failedResults")

    assert head == ["sf__Id", "sf__Error", "Id", STATUS, "DoNotCall", "LastName"]
    assert [row[2:] for row in failed] == rows
    assert {row[0] for row in failed} == {""}

    for row, (_, start, end) in zip(failed, bad.values(), strict=True):
        assert row[1].startswith(start), row
        assert row[1].endswith(end), row

    assert listed(api, job, "successfulResults")[1:] == [[contacts[0], "false", contacts[0], "valid", "true", ""]]


def test_field_permissions_hold_in_jobs(api: Api, contacts: list[str]) -> None:
    api.org.make_readonly("Contact", "Title")
    job = done(api, ["Id", "Title"], [contacts[0], "x"])

    assert listed(api, job, "failedResults")[1][1].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update")

    api.org.hide_field("Contact", "Title")
    job = done(api, ["Id", "Title"], [contacts[0], "x"])
    body = api("GET", job).json()

    assert (body["state"], body["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Title")
    assert listed(api, job, "unprocessedrecords") == [["Id", "Title"], [contacts[0], "x"]]


def test_converted_leads_and_row_rules(api: Api, leads: list[str]) -> None:
    api.org.convert_lead(leads[0])
    api.org.refuse_row = lambda name, row, changes: ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No") if row["Id"] else None
    job = done(api, ["Id", "Title"], [leads[0], "x"], [leads[1], "x"], object="Lead")

    assert [row[1] for row in listed(api, job, "failedResults")[1:]] == [
        "CANNOT_UPDATE_CONVERTED_LEAD:cannot reference converted lead:--",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:No:--",
    ]


@pytest.mark.parametrize(("rule", "owner"), [(None, "human_id"), ("01Q5i000000abcd", "assigned_owner_id")])
def test_assignment_rules_act_only_when_the_job_names_one(api: Api, leads: list[str], rule: Any, owner: str) -> None:
    counts(api, done(api, ["Id", "Title"], [leads[0], "x"], object="Lead", assignmentRuleId=rule))
    assert api.org.rows("Lead")[leads[0]]["OwnerId"] == getattr(api.org, owner)


def test_batches_share_the_time_and_an_abort_keeps_what_is_written(
    api: Api, clock: SandboxClock, contacts: list[str]
) -> None:
    api.org.job_seconds, api.org.job_batch_rows = 1000, 1
    job = sent(api, sheet(["Id", "Title"], *[[row_id, "new"] for row_id in contacts]))

    assert counts(api, job) == ("UploadComplete", 0, 0)

    clock.advance(300)

    assert counts(api, job) == ("InProgress", 0, 0)

    for what in ("successfulResults", "failedResults", "unprocessedrecords"):
        assert api.refusal("GET", f"{job}/{what}")[1]["errorCode"] == "INVALIDJOBSTATE"

    assert api.refusal("DELETE", job)[1]["errorCode"] == "INVALIDJOBSTATE"

    clock.advance(301)

    assert counts(api, job) == ("InProgress", 2, 0)
    assert api("PATCH", job, json={"state": "Aborted"}).json()["state"] == "Aborted"

    clock.advance(5000)

    assert counts(api, job) == ("Aborted", 2, 0)
    assert [row[0] for row in listed(api, job, "successfulResults")[1:]] == contacts[:2]
    assert [row[0] for row in listed(api, job, "unprocessedrecords")[1:]] == contacts[2:]
    assert [row["Title"] for row in api.org.rows("Contact").values()] == ["new", "new", None, None]


def test_two_hundred_batches_need_no_polls(api: Api, contacts: list[str]) -> None:
    api.org.job_seconds, api.org.job_batch_rows = 0, 1
    job = sent(api, sheet(["Id", "Title"], *[[contacts[0], str(number)] for number in range(200)]))

    assert counts(api, job) == ("JobComplete", 200, 0)
    assert api.org.rows("Contact")[contacts[0]]["Title"] == "199"


def test_a_batch_is_counted_once_however_many_steps_it_takes(api: Api, contacts: list[str]) -> None:
    job = done(api, ["Id", "Title"], *[[contacts[0], "x"]] * 4001)

    assert counts(api, job) == ("JobComplete", 4001, 0)
    assert len(listed(api, job, "successfulResults")) == 4002
    assert listed(api, job, "unprocessedrecords") == [["Id", "Title"]]
    assert api("GET", "/limits").json()["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_999}


def test_requests_get_their_turn_between_the_steps_of_a_batch(
    api: Api, clock: SandboxClock, contacts: list[str]
) -> None:
    api.org.job_seconds = 1000
    job = sent(api, sheet(["Id", "Title"], *[[contacts[0], "x"]] * 4001))
    with api.org.lock:
        clock.advance(1000)
        seen = []
        for _ in range(5):
            api.org.jobs.advance(api.org.clock, budget_s=0)
            (found,) = api.org.jobs.every(IngestJob)
            seen.append((found.state, found.done))

    assert seen == [
        ("InProgress", 0),
        ("InProgress", 2000),
        ("InProgress", 4000),
        ("InProgress", 4001),
        ("JobComplete", 4001),
    ]
    assert counts(api, job) == ("JobComplete", 4001, 0)


def test_states_that_do_not_allow_it(api: Api, contacts: list[str]) -> None:
    data = sheet(["Id", "Title"], [contacts[0], "x"])
    job = opened(api)

    assert api("PUT", job + "/batches", data=data).status_code == 201
    assert api.refusal("DELETE", job)[1]["errorCode"] == "INVALIDJOBSTATE"
    assert api.refusal("PATCH", job, json={"state": "Open"})[1]["errorCode"] == "INVALIDJOB"

    api.org.job_seconds = 0

    assert api("PATCH", job, json={"state": "UploadComplete"}).status_code == 200

    for what in ({"state": "UploadComplete"}, {"state": "Aborted"}):
        assert api.refusal("PATCH", job, json=what)[1]["errorCode"] == "INVALIDJOBSTATE"

    assert api.refusal("PUT", job + "/batches", data=data)[1]["errorCode"] == "INVALIDJOBSTATE"
    assert api.refusal("PUT", "/jobs/ingest/7505i0000000zzz/batches", data=data)[0] == 404


@pytest.mark.parametrize("refused", ["close", "upload"])
def test_data_come_once(api: Api, contacts: list[str], refused: str) -> None:
    api.org.second_upload = refused
    data, job = sheet(["Id", "Title"], [contacts[0], "x"]), opened(api)

    assert api("PUT", job + "/batches", data=data).status_code == 201

    if refused == "close":
        assert api("PUT", job + "/batches", data=data).status_code == 201
        again = api.refusal("PATCH", job, json={"state": "UploadComplete"})
    else:
        again = api.refusal("PUT", job + "/batches", data=data)

    assert (again[0], again[1]["errorCode"]) == (400, "INVALIDJOB")
    assert "contents for job" in again[1]["message"]
    assert api("GET", job).json()["state"] == "Open"


def test_an_open_job_can_be_aborted(api: Api, contacts: list[str]) -> None:
    job = opened(api)

    assert api("PATCH", job, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert listed(api, job, "unprocessedrecords") == []
    assert listed(api, job, "successfulResults") == [["sf__Id", "sf__Created"]]
    assert api("DELETE", job).status_code == 204


def test_a_job_without_data_completes_with_nothing(api: Api) -> None:
    api.org.job_seconds = 0
    job = opened(api)

    assert api("PATCH", job, json={"state": "UploadComplete"}).status_code == 200
    assert counts(api, job) == ("JobComplete", 0, 0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Id,Bacon\n1,2\n", "InvalidBatch : Field name not found : Bacon"),
        ("\ufeffId,Title\n1,2\n".encode(), "InvalidBatch : Field name not found : \ufeffId"),
        (b"Id,Title,title\n1,2,3\n", "InvalidBatch : Field name title is given more than once"),
        (b"Id,Title\r\n1,2\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting"),
        (b"Id,Title\n1,\xff\n", "InvalidBatch : Failed to parse CSV data"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_fails_the_job(api: Api, data: bytes, expected: str) -> None:
    api.org.job_seconds = 0
    job = sent(api, data)
    body = api("GET", job).json()

    assert (body["state"], body["numberRecordsProcessed"]) == ("Failed", 0)
    assert body["errorMessage"].startswith(expected)


def test_line_ends_and_delimiters(api: Api, contacts: list[str]) -> None:
    api.org.job_seconds = 0
    data = sheet(["Id", "Title"], [contacts[0], "a\nb"], ending="\r\n", delimiter="\t")
    job = sent(api, data, lineEnding="CRLF", columnDelimiter="TAB")

    assert counts(api, job) == ("JobComplete", 1, 0)
    assert api("GET", job + "/successfulResults").content == (
        f'sf__Id\tsf__Created\tId\tTitle\r\n{contacts[0]}\tfalse\t{contacts[0]}\t"a\nb"\r\n'.encode()
    )


def test_rows_that_are_wider_or_narrower_than_the_header(api: Api, contacts: list[str]) -> None:
    job = done(api, ["Id", "Title"], [contacts[0], "x", "y"], [contacts[1]], [contacts[2], "z"])

    assert counts(api, job) == ("JobComplete", 3, 1)
    assert listed(api, job, "failedResults")[1][1] == "INVALID_CSV_ROW:The row has 3 columns, the header 2:--"
    assert listed(api, job, "successfulResults")[1:] == [
        [contacts[1], "false", contacts[1], ""],
        [contacts[2], "false", contacts[2], "z"],
    ]


def test_the_largest_file(api: Api) -> None:
    api.org.upload_mb = 1
    job = opened(api)

    assert api.refusal("PUT", job + "/batches", data=b"Id\n" + b"x" * 1_000_000)[0] == 413
    assert api("PUT", job + "/batches", data=b"Id\n" + b"x" * 999_997).status_code == 201


def test_a_multipart_request_creates_fills_and_starts(api: Api, contacts: list[str]) -> None:
    api.org.job_seconds = 0
    data = sheet(["Id", "Title"], [contacts[0], "x\ny"])
    parts = {
        "job": (None, json.dumps(UPDATE), "application/json"),
        "content": ("content", data, "text/csv"),
    }
    created = api("POST", "/jobs/ingest", files=parts).json()

    assert created["state"] == "UploadComplete"
    assert counts(api, f"/jobs/ingest/{created['id']}") == ("JobComplete", 1, 0)
    assert api.org.rows("Contact")[contacts[0]]["Title"] == "x\ny"
    assert api.refusal("POST", "/jobs/ingest", files={"job": parts["job"]})[0] == 400

    large = {**parts, "content": ("content", data + b"x" * 100_000, "text/csv")}

    assert api.refusal("POST", "/jobs/ingest", files=large)[1]["errorCode"] == "INVALIDJOB"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"operation": "hardDelete"}, "INVALIDJOB"),
        ({"operation": "upsert", "externalIdFieldName": "Phone"}, "INVALIDJOB"),
        ({"object": "Bacon"}, "INVALIDENTITY"),
        ({"object": "User"}, "INVALIDENTITY"),
        ({"contentType": "JSON"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_cannot_be_is_refused(api: Api, change: dict[str, str], code: str) -> None:
    status, error = api.refusal("POST", "/jobs/ingest", json={**UPDATE, **change})
    assert (status, error["errorCode"]) == (400, code)


def test_the_batches_of_a_day(api: Api, contacts: list[str]) -> None:
    api.org.daily_batches, api.org.job_batch_rows = 2, 1
    job = done(api, ["Id", "Title"], *[[row_id, "x"] for row_id in contacts])

    assert counts(api, job) == ("Failed", 2, 0)
    assert api("GET", job).json()["errorMessage"].startswith("ExceededQuota")
    assert [row[0] for row in listed(api, job, "unprocessedrecords")[1:]] == contacts[2:]
    assert api("GET", "/limits").json()["DailyBulkApiBatches"] == {"Max": 2, "Remaining": 0}


def test_query_jobs_and_ingest_jobs_are_apart(api: Api) -> None:
    job = opened(api).rsplit("/", 1)[1]

    assert api.refusal("GET", f"/jobs/query/{job}")[0] == 404
    assert [each["id"] for each in api("GET", "/jobs/ingest").json()["records"]] == [job]
    assert api("GET", "/jobs/query").json()["records"] == []


def test_a_job_of_any_number_of_batches_comes_to_its_end(api: Api, contacts: list[str]) -> None:
    api.org.job_batch_rows = 1
    for batches in range(1, 13):
        job = done(api, ["Id", STATUS], *([one, "valid"] for one in (contacts * 3)[:batches]))
        for _ in range(batches):
            api("GET", job)

        assert counts(api, job) == ("JobComplete", batches, 0)
