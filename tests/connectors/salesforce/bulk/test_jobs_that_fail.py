"""Whatever becomes of an ingest job, no row is lost."""

from __future__ import annotations

from collections import Counter

import pytest

from ringfence.connectors.salesforce.bulk import ingest as bulk_ingest
from ringfence.connectors.salesforce.bulk import writer as bulk_write
from ringfence.connectors.salesforce.bulk.ingest import IngestJobs
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Outcome
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
    fail,
    write,
)


def test_rows_that_a_failed_job_did_not_come_to_are_made_up_for(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.job_batch_rows = 5
    monkeypatch.setattr(bulk_write, "AT_ONCE", 7)
    fail(sandbox, "PATCH", "/jobs/ingest/{job_id}", "kind: fail_jobs, done: 0.5")

    some = alive(org)[:40]

    assert write(crm, [change(one, **{STATUS: "valid"}) for one in some]) == dict.fromkeys(some, WRITTEN)
    assert {org.rows("Contact")[one][STATUS] for one in some} == {"valid"}
    assert org.requests["POST /composite"] == 3


def test_a_job_that_somebody_aborts_is_not_made_up_for(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    org.job_batch_rows, org.job_seconds = 5, 60
    some = alive(org)[:20]
    crm, other = connect(), connect()

    class Aborting(Watch):
        def waiting(self) -> None:
            super().waiting()
            if self.times == 8:
                IngestJobs(other._client, other._clock).abort(self.references[0])

    found = write(crm, [change(one, **{REASON: "by job"}) for one in some], Aborting())

    results = Counter(found.values())

    assert results[WRITTEN] % 5 == 0
    assert results.keys() == {WRITTEN, (Outcome.REFUSED, bulk_ingest.UNPROCESSED)}

    rows = org.rows("Contact")

    assert all((rows[one][REASON] == "by job") is (result == WRITTEN) for one, result in found.items())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/jobs/ingest"),
        ("PUT", "/jobs/ingest/{job_id}/batches"),
        ("PATCH", "/jobs/ingest/{job_id}"),
        ("GET", "/jobs/ingest/{job_id}"),
        ("GET", "/jobs/ingest/{job_id}/successfulResults"),
        ("GET", "/jobs/ingest/{job_id}/failedResults"),
        ("DELETE", "/jobs/ingest/{job_id}"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        "kind: refuse, status: 503",
        "kind: reset",
        "kind: reset, after_commit: true",
        "kind: html, status: 503",
        "kind: html, status: 200",
        "kind: html, status: 302",
        "kind: empty",
    ],
)
def test_passing_faults_lose_no_row(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox, method: str, path: str, fault: str
) -> None:
    some = alive(org)[:12]
    org.refuse_row = lambda _name, row, _new: ("NO", "no") if row.get("Id") == some[0] else None
    fail(sandbox, method, path, fault, ", nth: 1")

    found = write(crm, [change(one, **{STATUS: "valid"}) for one in some])

    assert found == {some[0]: (Outcome.REFUSED, "NO")} | dict.fromkeys(some[1:], WRITTEN)


def test_a_cut_off_list_of_results_is_asked_for_again(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    fail(sandbox, "GET", "/jobs/ingest/{job_id}/successfulResults", "kind: truncate", ", nth: 1")

    some = alive(org)[:12]

    assert write(crm, [change(one, **{STATUS: "valid"}) for one in some]) == dict.fromkeys(some, WRITTEN)


def test_a_list_of_results_that_stays_too_short_is_taken_as_it_is(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    fail(sandbox, "GET", "/jobs/ingest/{job_id}/successfulResults", "kind: empty")

    assert write(crm, [change(alive(org)[0], **{STATUS: "valid"}), change("003A", **{STATUS: "valid"})]).keys() == {
        "003A"
    }
    assert "names 0 rows of 1" in caplog.text


@pytest.mark.parametrize("words", ["403, code: INSUFFICIENT_ACCESS", "500"])
def test_without_a_job_to_be_had_rows_go_as_before(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox, words: str
) -> None:
    fail(sandbox, "POST", "/jobs/ingest", f"kind: refuse, status: {words}")

    watch, some = Watch(), alive(org)[:12]

    assert write(crm, [change(one, **{STATUS: "valid"}) for one in some], watch) == dict.fromkeys(some, WRITTEN)
    assert watch.references == [""]
