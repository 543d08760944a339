"""Many changes through ingest jobs: each row ends with its own result, whatever becomes of the job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from ringfence.connectors.salesforce.bulk import ingest as bulk_ingest
from ringfence.connectors.salesforce.bulk import writer as bulk_write
from ringfence.connectors.salesforce.bulk.csv_sheet import Sheet
from ringfence.connectors.salesforce.bulk.ingest import IngestJobs
from ringfence.connectors.salesforce.bulk.update_sheet import UpdateSheet
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import Fault, JobGoneError, read_job_fault
from ringfence.core.errors import QuotaError, UnreachableError
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult, Value
from ringfence.core.ports.bulk import BulkLoad
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.bulk_load import IngestJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
STATUS, REASON, SCREENED = "RF_Phone_Status__c", "RF_Phone_Reason__c", "RF_Phone_Screened_Value__c"
E164, LAST = "RF_Phone_E164__c", "RF_Phone_Last_Screened__c"
WHEN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
WRITTEN = (Outcome.WRITTEN, "")


class Watch:
    """Remembers the references it was given, and ends the waiting after so many polls."""

    def __init__(self, patience: int | None = None) -> None:
        self.references: list[str] = []
        self.times = 0
        self._patience = patience

    def opened(self, reference: str) -> None:
        self.references.append(reference)

    def waiting(self) -> None:
        self.times += 1
        if self.times == self._patience:
            raise KeyboardInterrupt


def change(one: str, **new: Value) -> Change:
    return Change.of("Contact", one, tuple(FieldChange(name, None, value) for name, value in new.items()))


def sheet(columns: list[str], *changes: Change) -> Sheet:
    made = UpdateSheet(columns)
    made.add(changes)
    assert not made.unsupported
    return made.finish()


def alive(org: SalesforceOrg) -> list[str]:
    return sorted(one for one, row in org.rows("Contact").items() if not row["IsDeleted"])


def load(crm: SalesforceCrm, changes: Iterable[Change]) -> BulkLoad:
    made, left = crm.bulk.load("Contact"), iter(changes)
    while some := list(islice(left, 50)):
        made.add(some)
    return made


def write(crm: SalesforceCrm, changes: Iterable[Change], watch: Watch | None = None) -> dict[str, tuple[Outcome, str]]:
    found = list(load(crm, changes).write(watch or Watch()))
    assert max(Counter(one for one, _ in found).values()) == 1
    return {one: (result.outcome, result.code) for one, result in found}


def fail(sandbox: Sandbox, method: str, path: str, fault: str, when: str = "") -> None:
    rule = f"{{service: salesforce, when: {{method: {method}, path: '{path}'{when}}}, fault: {{{fault}}}}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")


def test_values_arrive_as_salesforce_keeps_them(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one, two, three = alive(org)[:3]
    for row in (one, two, three):
        org.update_as_user("Contact", row, DoNotCall=False, **{E164: "+14155550100", REASON: "old"})

    text = 'says "no", then\nrings; ünï ☎'
    sent = [
        change(one, **{STATUS: "active", REASON: text, E164: None, LAST: WHEN, "DoNotCall": True}),
        change(two, **{SCREENED: " 0012 ", REASON: ""}),
        change(three, **{SCREENED: "#N/A", STATUS: "invalid"}),
    ]

    watch = Watch()

    assert write(crm, sent, watch) == dict.fromkeys((one, two, three), WRITTEN)

    rows = org.rows("Contact")

    assert (rows[one][STATUS], rows[one][REASON], rows[one][E164]) == ("active", text, None)
    assert (rows[one]["DoNotCall"], rows[one][LAST]) == (True, "2026-11-20T08:30:00.000+0000")
    assert (rows[two][SCREENED].strip(), rows[two][E164], rows[two][REASON]) == ("0012", "+14155550100", None)
    assert (rows[three][SCREENED], rows[three][STATUS]) == ("#N/A", "invalid")
    assert len(watch.references) == 1
    assert org.requests["POST /composite"] == 1, "a text that would empty the field goes by itself"
    assert not org.jobs.every(IngestJob)


def test_half_a_character_keeps_no_other_row_from_its_job(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    plain, half, blank = alive(org)[:3]
    sent = [change(plain, **{STATUS: "valid"}), change(half, **{SCREENED: "+1 201 555 0123 \ud83d"})]

    found = write(crm, [*sent, change(blank, **{SCREENED: " "})])

    assert found.keys() == {plain, half, blank}
    assert org.rows("Contact")[plain][STATUS] == "valid"
    assert org.requests["POST /composite"] == 1, "what a file cannot say goes by itself"


@pytest.mark.parametrize("sandbox", [{"contacts": 2_500}], indirect=True)
def test_a_job_takes_few_calls(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    some = alive(org)[:1_800]

    assert write(crm, (change(one, **{STATUS: "valid"}) for one in some)) == dict.fromkeys(some, WRITTEN)
    assert crm.calls["write"] <= bulk_write.CALLS
    assert {org.rows("Contact")[one][STATUS] for one in some} == {"valid"}


def test_refused_rows_keep_the_words_of_the_org(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    good, bad, long, gone = alive(org)[:4]
    org.refuse_row = lambda _name, row, _new: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not: this (415) 555-0123: one") if row.get("Id") == bad else None
    )
    org.delete("Contact", gone)
    sent = [change(one, **{STATUS: "valid", REASON: "x" * (300 if one == long else 3)}) for one in (good, bad, long)]

    found = dict(load(crm, [*sent, change(gone, **{STATUS: "valid"})]).write(Watch()))

    assert found[good] == RowResult(Outcome.WRITTEN)
    assert (found[bad].outcome, found[bad].code) == (Outcome.REFUSED, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert found[bad].message == "Not: this ***23: one"
    assert (found[long].code, REASON in found[long].message) == ("STRING_TOO_LONG", True)
    assert (found[gone].outcome, found[gone].code) == (Outcome.CONFLICT, "ENTITY_IS_DELETED")


def test_locked_rows_are_sent_again_by_themselves(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    some = alive(org)[:20]
    fail(sandbox, "PATCH", "/jobs/ingest/{job_id}", "kind: lock_rows, fraction: 1.0, tries: 1")

    sent = [change(one, **{STATUS: "valid", LAST: WHEN, E164: None, "DoNotCall": True}) for one in some]

    assert write(crm, sent) == dict.fromkeys(some, WRITTEN)
    assert org.requests["POST /composite"] >= 1

    row = org.rows("Contact")[some[0]]

    assert (row[STATUS], row[E164], row["DoNotCall"], row[LAST]) == (
        "valid",
        None,
        True,
        "2026-11-20T08:30:00.000+0000",
    )


@pytest.mark.parametrize(("cell", "sent"), [("TRUE", {"DoNotCall": True}), ("1", {"DoNotCall": True}), ("FALSE", {})])
def test_a_row_that_is_sent_again_never_lowers_a_flag(crm: SalesforceCrm, cell: str, sent: dict[str, Value]) -> None:
    made = crm.bulk.load("Contact")._change("003A", {STATUS: "valid", "DoNotCall": cell, REASON: ""})
    assert made.new_values() == {STATUS: "valid", **sent}


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


def test_without_a_job_to_be_had_rows_go_as_before(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    fail(sandbox, "POST", "/jobs/ingest", "kind: refuse, status: 403, code: INSUFFICIENT_ACCESS")

    watch, some = Watch(), alive(org)[:12]

    assert write(crm, [change(one, **{STATUS: "valid"}) for one in some], watch) == dict.fromkeys(some, WRITTEN)
    assert watch.references == [""]


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
