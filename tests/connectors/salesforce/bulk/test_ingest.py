"""Uploads of ingest jobs: repeated, too large, and their results."""

from __future__ import annotations

import pytest

from ringfence.connectors.salesforce.bulk import ingest as bulk_ingest
from ringfence.connectors.salesforce.bulk.ingest import IngestJobs
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import Fault, JobGoneError, read_job_fault
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.bulk_load import IngestJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .conftest import (
    REASON,
    STATUS,
    WRITTEN,
    Connect,
    Watch,
    alive,
    change,
    sheet,
    write,
)


@pytest.mark.parametrize(
    ("refused", "lost", "jobs"),
    [("upload", [1], [True]), ("close", [1], [True, True]), ("close", [1, 3], [True, True, False])],
)
def test_rows_whose_upload_was_repeated_are_written(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox, refused: str, lost: list[int], jobs: list[bool]
) -> None:
    org.second_upload = refused
    where, fault = "method: PUT, path: '/jobs/ingest/{job_id}/batches'", "{kind: reset, after_commit: true}"
    rules = [f"{{service: salesforce, when: {{{where}, nth: {nth}}}, fault: {fault}}}" for nth in lost]
    sandbox.faults = parse_faults(f"{{rules: [{', '.join(rules)}]}}", "test")

    watch, some = Watch(), alive(org)[:12]

    assert write(crm, [change(one, **{STATUS: "valid"}) for one in some], watch) == dict.fromkeys(some, WRITTEN)
    assert list(map(bool, watch.references)) == jobs, "the last of two tries goes without a job"
    assert not org.jobs.every(IngestJob)


def test_a_file_that_is_too_large_is_not_sent(
    crm: SalesforceCrm, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_ingest, "FILE_BYTES", 100)

    with pytest.raises(ValueError, match="100 bytes"):
        write(crm, [change(alive(org)[0], **{REASON: "x" * 90})])


@pytest.mark.parametrize("custom", [0, 12, 30])
def test_the_widest_mapping_fits_a_file(connect: Connect, custom: int) -> None:
    names = ["Phone", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone", "Fax"]
    names += [f"Phone_{number}__c" for number in range(custom)]
    slots = ", ".join(f"{name}: {{}}" for name in names)
    crm = connect(f"crm: salesforce\nobjects:\n  Contact:\n    phones: {{{slots}}}\n")
    shape = crm._shapes["Contact"]
    widest = dict.fromkeys(shape.owned_fields(), "\U0001f4de" * 25)

    line = len(sheet(sorted(widest), change("003A" * 4, **widest)))

    assert crm.bulk.most * line / 2 < bulk_ingest.FILE_BYTES
    assert crm.bulk.most % 10_000 == 0 or crm.bulk.most < 10_000
    assert connect().bulk.most > crm.bulk.most


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
            Fault("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name] (Name)"),
        ),
        (
            "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001A:--",
            Fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 200 records: 001A"),
        ),
        ("NOT_FOUND:gone:--", Fault("NOT_FOUND", "gone")),
        ("something odd", Fault("UNKNOWN", "something odd")),
        ("", Fault("UNKNOWN", "")),
        ("NO:call (415) 555-0123:Phone --", Fault("NO", "call ***23 (Phone)")),
    ],
)
def test_the_text_of_a_refused_row_is_code_and_words(text: str, fault: Fault) -> None:
    assert read_job_fault(text) == fault


def test_the_calls_of_an_ingest_job_can_all_be_repeated(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    jobs, one = IngestJobs(crm._client, crm._clock), alive(org)[0]
    job_id = jobs.create_update_job("Contact")
    rows = sheet([STATUS], change(one, **{STATUS: "valid"}))
    org.second_upload = "upload"

    for _ in range(2):
        jobs.upload(job_id, rows)

    assert not jobs.close(job_id).ended

    *_, job = jobs.wait(jobs.close(job_id))

    assert (job.complete, job.processed, job.failed) == (True, 1, 0)
    assert jobs.abort(job_id).complete
    assert [(tried.id, tried.fault) for tried in jobs.results(job)] == [(one, None)]

    for _ in range(2):
        jobs.delete(job_id)

    with pytest.raises(JobGoneError):
        jobs.get(job_id)
