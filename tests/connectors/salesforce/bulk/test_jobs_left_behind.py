"""Ingest jobs that a run has left: what became of their rows is asked, or read."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.salesforce.bulk.ingest import IngestJobs
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import QuotaError, UnreachableError
from ringfence.core.model.values import Outcome, RowResult
from ringfence.sandbox.salesforce.bulk_load import IngestJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .conftest import (
    REASON,
    STATUS,
    Connect,
    Watch,
    alive,
    change,
    fail,
    load,
    sheet,
    write,
)


def test_an_outage_leaves_a_job_to_the_next_run(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    watch, some = Watch(), alive(org)[:12]
    fail(sandbox, "GET", "/jobs/ingest/{job_id}", "kind: refuse, status: 503")

    with pytest.raises(UnreachableError):
        write(connect(), [change(one, **{STATUS: "valid"}) for one in some], watch)

    sandbox.faults = None

    results = connect().bulk.outcome(watch.references[0], Watch())

    assert results is not None
    assert dict(results) == dict.fromkeys(some, RowResult(Outcome.WRITTEN))
    assert connect().bulk.outcome(watch.references[0], Watch()) is None, "it is deleted once its results were read"


def test_a_run_that_leaves_its_job_to_itself_does_not_end_it(connect: Connect, org: SalesforceOrg) -> None:
    org.job_seconds = 30
    some, watch = alive(org)[:12], Watch(patience=3)
    org.refuse_row = lambda _name, row, _new: ("NO", "no") if row.get("Id") == some[0] else None

    with pytest.raises(KeyboardInterrupt):
        write(connect(), [change(one, **{STATUS: "valid"}) for one in some], watch)

    again = Watch()

    results = connect().bulk.outcome(watch.references[0], again)

    assert results is not None

    found = {one: result.outcome for one, result in results}

    assert found == {some[0]: Outcome.REFUSED} | dict.fromkeys(some[1:], Outcome.WRITTEN)
    assert again.times > 1


def test_a_job_whose_rows_never_came_is_called_off(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    watch, some = Watch(), alive(org)[:3]
    fail(sandbox, "PATCH", "/jobs/ingest/{job_id}", "kind: refuse, status: 503")

    with pytest.raises(UnreachableError):
        write(connect(), [change(one, **{REASON: "by job"}) for one in some], watch)

    sandbox.faults = None

    results = connect().bulk.outcome(watch.references[0], Watch())

    assert results is not None
    assert list(results) == []

    sandbox.clock.advance(60)

    assert "by job" not in {org.rows("Contact")[one][REASON] for one in some}
    assert not org.jobs.every(IngestJob)


def test_a_job_that_is_let_go_before_it_can_be_called_off_is_told(
    connect: Connect, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, crm = alive(org)[:12], connect()
    killed, abort = IngestJobs(crm._client, crm._clock), IngestJobs.abort
    job_id = killed.create_update_job("Contact")
    killed.upload(job_id, sheet([STATUS], *(change(one, **{STATUS: "valid"}) for one in some)))

    def late(jobs: IngestJobs, reference: str) -> Any:
        list(killed.wait(killed.close(reference)))
        return abort(jobs, reference)

    monkeypatch.setattr(IngestJobs, "abort", late)

    results = crm.bulk.outcome(job_id, Watch())

    assert dict(results or ()) == dict.fromkeys(some, RowResult(Outcome.WRITTEN))


def test_rows_that_went_another_way_are_left_to_reading(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    watch, some = Watch(), alive(org)[:3]
    fail(sandbox, "PATCH", "/jobs/ingest/{job_id}", "kind: lock_rows, fraction: 1.0, tries: 9")
    crm = connect()
    results = load(crm, [change(one, **{STATUS: "valid"}) for one in some]).write(watch)
    org.api_limit = org.api_usage + 8  # enough for the job, not for the rows that it found locked

    with pytest.raises(QuotaError):
        list(results)

    org.api_limit = 100_000

    results = connect().bulk.outcome(watch.references[0], Watch())

    assert results is not None
    assert list(results) == []


def test_a_job_that_is_gone_names_nothing(crm: SalesforceCrm) -> None:
    assert crm.bulk.outcome("7505i00000ABCDEAAA", Watch()) is None


@pytest.mark.parametrize("path", ["", "/successfulResults", "/failedResults"])
@pytest.mark.parametrize("words", ["403, code: INSUFFICIENT_ACCESS", "400, code: INVALIDJOB", "409, code: CONFLICT"])
def test_a_job_that_may_not_be_looked_at_names_nothing(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, path: str, words: str
) -> None:
    watch, some = Watch(patience=1), alive(org)[:3]
    org.refuse_row = lambda _name, row, _new: ("NO", "no") if row.get("Id") == some[0] else None

    with pytest.raises(KeyboardInterrupt):
        write(connect(), [change(one, **{STATUS: "valid"}) for one in some], watch)

    fail(sandbox, "GET", f"/jobs/ingest/{{job_id}}{path}", f"kind: refuse, status: {words}")

    assert connect().bulk.outcome(watch.references[0], Watch()) is None
