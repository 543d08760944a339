"""Large reads through query jobs: every row once, typed as ever, and nothing lost when a run or a job breaks off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringfence.connectors.salesforce.bulk import query as bulk_query
from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import JobPosition, Position, read_position
from ringfence.core.errors import QuotaError, UnreachableError
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.bulk_extract import QueryJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
LAST = "RF_Phone_Last_Screened__c"
CREATE, POLL, RESULTS = "POST /jobs/query", "GET /jobs/query/{job_id}", "GET /jobs/query/{job_id}/results"

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 150}], indirect=True)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, org: SalesforceOrg) -> None:
    """Make few rows many: pages of 10, of which 7 records' worth go on together, and results of 20, then 30."""
    org.page_size = 10
    monkeypatch.setattr(bulk_read, "WORTH_FROM", 40)
    monkeypatch.setattr(bulk_read, "RECORDS_AT_ONCE", 7)
    monkeypatch.setattr(bulk_query, "FIRST_ROWS", 20)
    monkeypatch.setattr(bulk_query, "RESULT_ROWS", 30)


def records(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids(pages: Iterable[Page]) -> Counter[str]:
    return Counter(record.id for record in records(pages))


def alive(org: SalesforceOrg) -> Counter[str]:
    return Counter(one for one, row in org.rows("Contact").items() if not row["IsDeleted"])


def requests(org: SalesforceOrg) -> Counter[str]:
    """The requests about jobs, by method and path."""
    return Counter({name: count for name, count in org.requests.items() if "/jobs/" in name})


def fail(sandbox: Sandbox, method: str, path: str, fault: str, when: str = "") -> None:
    rule = f"{{service: salesforce, when: {{method: {method}, path: '{path}'{when}}}, fault: {{{fault}}}}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")


def window_cursor(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> str:
    """Return the cursor in front of a window that holds every contact."""
    sandbox.clock.advance(600)
    (cursor,) = [page.cursor for page in connect().open_feed({}).changed()][-1:]
    assert cursor is not None
    sandbox.clock.advance(600)
    org.set_modified("Contact", alive(org), sandbox.clock.now())
    sandbox.clock.advance(1_000)
    return cursor


@pytest.fixture(params=["full", "window"])
def cursor(request: pytest.FixtureRequest, connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> str | None:
    """Give the cursor in front of a large read, of everything or of what changed."""
    found = None if request.param == "full" else window_cursor(connect, org, sandbox)
    org.jobs.drop_all()
    org.requests.clear()
    return found


def test_one_job_reads_what_many_pages_would(connect: Connect, org: SalesforceOrg, cursor: str | None) -> None:
    feed = connect().open_feed({"Contact": cursor})

    pages = list(feed.changed())

    assert ids(pages) == alive(org)

    count = requests(org)
    list(feed.due(datetime(2020, 1, 1, tzinfo=UTC)))

    assert (count[CREATE], count[RESULTS]) == (1, 1 + -(-(alive(org).total() - 10 - 20) // 30))
    assert not org.jobs.every(QueryJob)

    end = read_position(pages[-1].cursor)

    assert (end.full, end.job) == (False, None)
    assert [len(page.records) for page in pages if page.records][:2] == [10, 7]


def test_rows_are_typed_as_those_of_a_query(
    connect: Connect, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = list(alive(org))[20:]
    texts = ['say "no", then\nring ☎\r\n off', "  spaces  ", "#N/A", "true", "ünï,cödé\u2028end", "0012", None]
    for one, text in zip(some, texts, strict=False):
        org.update_as_user("Contact", one, Phone=text, MobilePhone=text, MailingCountry=text, DoNotCall=bool(text))

    by_job = {record.id: record for record in records(connect().open_feed({}).changed())}

    assert requests(org)[CREATE] == 1

    monkeypatch.setattr(bulk_read, "WORTH_FROM", 1_000)

    by_page = {record.id: record for record in records(connect().open_feed({}).changed())}

    assert requests(org)[CREATE] == 1
    assert by_job == by_page
    assert {type(record.values["DoNotCall"]) for record in by_job.values()} == {bool}


def test_a_run_that_breaks_off_anywhere_goes_on_with_the_same_job(
    connect: Connect, org: SalesforceOrg, cursor: str | None
) -> None:
    whole = len(list(connect().open_feed({"Contact": cursor}).changed()))
    for broken in range(1, whole):
        org.requests.clear()
        pages = connect().open_feed({"Contact": cursor}).changed()
        first = [next(pages) for _ in range(broken)]

        place = read_position(first[-1].cursor)

        assert (place.job is None) is (broken == 1)  # the first page comes before the job

        rest = list(connect().open_feed({"Contact": first[-1].cursor}).changed())

        assert requests(org)[CREATE] == 1

        again = ids([*first, *rest])

        assert set(again) == set(alive(org))
        # Only the results page in which it broke off comes again.
        assert sum(again.values()) - alive(org).total() < 30
        assert read_position(rest[-1].cursor).job is None


def test_rows_of_a_job_that_an_earlier_run_made_are_told_to_be_of_then(connect: Connect, org: SalesforceOrg) -> None:
    pages = connect().open_feed({}).changed()
    first = next(page for page in pages if page.records and read_position(page.cursor).job)
    org.update_as_user("Contact", next(iter(alive(org))), DoNotCall=True)

    rest = list(connect().open_feed({"Contact": first.cursor}).changed())

    assert first.authoritative
    assert records(rest)
    assert not any(page.authoritative for page in rest)


def test_a_flag_lowered_since_an_earlier_run_made_the_job_is_seen_down(connect: Connect, org: SalesforceOrg) -> None:
    *_, lowered, deleted, raised = before = sorted(alive(org))
    for one in (lowered, deleted, raised):
        org.update_as_user("Contact", one, DoNotCall=True)

    pages = connect().open_feed({}).changed()
    first = next(page for page in pages if not page.records)
    (job,) = org.jobs.every(QueryJob)

    with org.lock:
        job.seconds = 0
        org.jobs.advance(org.clock)  # its rows are read before people go on

    assert job.state == "JobComplete"

    org.update_as_user("Contact", lowered, DoNotCall=False)
    org.delete("Contact", deleted)
    rest = records(connect().open_feed({"Contact": first.cursor}).changed())

    assert requests(org)[CREATE] == 1

    flags = {record.id: record.values["DoNotCall"] for record in rest}

    assert (flags[lowered], flags[raised]) == (False, True)
    assert flags.keys() == alive(org).keys() - before[:10]


def test_a_page_of_results_is_passed_only_when_all_of_it_is_handled(connect: Connect, org: SalesforceOrg) -> None:
    handled: set[str] = set()
    for page in connect().open_feed({}).changed():
        handled |= set(ids([page]))
        place = read_position(page.cursor)
        if place.job is not None:
            assert len(handled) >= place.job.rows
            left = ids(connect().open_feed({"Contact": page.cursor}).changed())
            assert handled | set(left) == set(alive(org))


def test_what_changed_while_a_job_was_read_comes_with_the_next_run(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str | None
) -> None:
    pages = connect().open_feed({"Contact": cursor}).changed()
    first = [next(pages) for _ in range(5)]
    sandbox.clock.advance(1_000)
    edited = list(alive(org))[:3]

    for one in edited:
        org.update_as_user("Contact", one, Title="boss")

    sandbox.clock.advance(1_000)
    rest = list(connect().open_feed({"Contact": first[-1].cursor}).changed())
    sandbox.clock.advance(1_000)

    assert set(edited) <= set(ids(connect().open_feed({"Contact": rest[-1].cursor}).changed()))


@pytest.mark.parametrize("how", ["deleted", "another version", "old"])
def test_without_its_job_a_read_starts_again(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str | None, how: str
) -> None:
    pages = connect().open_feed({"Contact": cursor}).changed()

    first = [next(pages) for _ in range(8)]

    assert read_position(first[-1].cursor).job is not None

    settings: dict[str, Any] = {"instance_url": sandbox.salesforce_url, "access_token": org.access_token}

    if how == "deleted":
        org.jobs.drop_all()
    elif how == "old":
        sandbox.clock.advance(bulk_read.STALE.total_seconds() + 60)
    else:
        settings["api_version"] = "66.0"

    rest = list(connect(settings=settings).open_feed({"Contact": first[-1].cursor}).changed())

    assert requests(org)[CREATE] == 2
    assert ids(rest) == alive(org) - ids(first[:1])
    assert read_position(rest[-1].cursor).job is None


@pytest.mark.parametrize("path", ["/jobs/query/{job_id}", "/jobs/query/{job_id}/results"])
@pytest.mark.parametrize(
    "words",
    ["400, code: INVALIDJOB", "403, code: INSUFFICIENT_ACCESS", "412", "400, code: INVALID_QUERY_LOCATOR"],
)
def test_a_job_that_is_refused_is_as_good_as_gone(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str | None, path: str, words: str
) -> None:
    pages = connect().open_feed({"Contact": cursor}).changed()
    first = [next(pages) for _ in range(8)]
    fail(sandbox, "GET", path, f"kind: refuse, status: {words}")

    rest = connect().open_feed({"Contact": first[-1].cursor}).changed()

    assert ids(rest) == alive(org) - ids(first[:1])
    assert ids(connect().open_feed({"Contact": cursor}).changed()) == alive(org)


def test_a_job_made_for_fewer_fields_than_are_mapped_now_is_not_gone_on_with(
    connect: Connect, org: SalesforceOrg, cursor: str | None
) -> None:
    pages = connect().open_feed({"Contact": cursor}).changed()

    first = [next(pages) for _ in range(8)]

    assert read_position(first[-1].cursor).job is not None

    rest = list(connect(tier="{field: Title}").open_feed({"Contact": first[-1].cursor}).changed())

    assert requests(org)[CREATE] == 2
    assert ids(rest) == alive(org) - ids(first[:1])
    assert all("Title" in record.values for record in records(rest))


def test_a_job_that_is_lost_on_the_way_is_replaced_by_pages(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    fail(sandbox, "GET", "/jobs/query/{job_id}/results", "kind: drop_jobs", ", nth: 3")

    pages = list(connect().open_feed({"Contact": cursor}).changed())

    assert set(ids(pages)) == set(alive(org))
    assert requests(org)[CREATE] == 1
    assert "page by page" in caplog.text

    places = [read_position(page.cursor) for page in pages]

    lost = max(n for n, place in enumerate(places) if place.job)

    assert all(place.job is None for place in places[lost + 1 :])
    assert not places[-1].full


def test_a_lost_job_is_in_no_cursor_of_rows_that_may_still_come_late(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    cursor = window_cursor(connect, org, sandbox)
    org.set_modified("Contact", alive(org), sandbox.clock.now())
    sandbox.clock.advance(61)
    fail(sandbox, "GET", "/jobs/query/{job_id}/results", "kind: drop_jobs", ", nth: 2")

    places = [read_position(page.cursor) for page in connect().open_feed({"Contact": cursor}).changed()]

    assert places[-2] == read_position(cursor)
    assert any(place.job for place in places)


def test_a_job_that_fails_or_is_not_to_be_had_is_replaced_by_pages(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str | None
) -> None:
    fail(sandbox, "POST", "/jobs/query", "kind: fail_jobs")

    assert ids(connect().open_feed({"Contact": cursor}).changed()) == alive(org)

    sandbox.faults = None
    org.daily_query_jobs = 0

    assert ids(connect().open_feed({"Contact": cursor}).changed()) == alive(org)
    assert requests(org)[RESULTS] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/jobs/query"), ("GET", "/jobs/query/{job_id}"), ("GET", "/jobs/query/{job_id}/results")],
)
@pytest.mark.parametrize(
    "fault",
    [
        "kind: refuse, status: 503",
        "kind: html, status: 200",
        "kind: reset",
        "kind: reset, after_commit: true",
        "kind: truncate",
    ],
)
def test_passing_faults_cost_a_call_and_no_row(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, method: str, path: str, fault: str
) -> None:
    fail(sandbox, method, path, fault, ", nth: 1")

    assert ids(connect().open_feed({}).changed()) == alive(org)
    # A job whose answer was lost stays behind, empty of consequences.
    assert requests(org)[CREATE] == (2 if method == "POST" else 1)


def test_an_outage_while_a_job_is_waited_for_ends_the_run_and_not_the_job(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    fail(sandbox, "GET", "/jobs/query/{job_id}", "kind: refuse, status: 503")
    pages, seen = connect().open_feed({}).changed(), []

    with pytest.raises(UnreachableError):
        seen.extend(pages)

    sandbox.faults = None

    assert read_position(seen[-1].cursor).job is not None

    rest = list(connect().open_feed({"Contact": seen[-1].cursor}).changed())

    assert requests(org)[CREATE] == 1
    assert ids([*seen, *rest]) == alive(org)


def test_an_expired_token_is_renewed_between_two_pages(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    login = {"login_url": sandbox.salesforce_url, "client_id": org.client_id, "client_secret": org.client_secret}
    found: list[Page] = []
    for page in connect(settings=login).open_feed({}).changed():
        found.append(page)
        org.expire_tokens()

    assert ids(found) == alive(org)


def test_a_quota_ends_the_reading_behind_a_place_to_go_on_from(connect: Connect, org: SalesforceOrg) -> None:
    seen: list[Page] = []
    pages = connect().open_feed({}).changed()
    seen.extend(next(pages) for _ in range(8))
    org.api_usage = org.api_limit

    with pytest.raises(QuotaError):
        seen.extend(pages)

    org.api_usage = 0

    rest = list(connect().open_feed({"Contact": seen[-1].cursor}).changed())

    assert requests(org)[CREATE] == 1
    assert set(ids([*seen, *rest])) == set(alive(org))


def test_waiting_grows_longer_and_says_that_the_run_is_alive(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.job_seconds = 400

    pages = list(connect().open_feed({}).changed())

    assert ids(pages) == alive(org)

    looks = requests(org)[POLL]

    assert 15 <= looks <= 20
    assert sum(1 for page in pages if not page.records) == looks + 1


def test_a_job_that_takes_longer_than_a_run_waits_is_waited_for_by_the_next(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.job_seconds = 7 * 3_600
    pages, seen = connect().open_feed({}).changed(), []

    with pytest.raises(UnreachableError, match="for hours"):
        seen.extend(pages)

    rest = list(connect().open_feed({"Contact": seen[-1].cursor}).changed())

    assert requests(org)[CREATE] == 1
    assert ids([*seen, *rest]) == alive(org)


def test_flags_verdicts_and_due_records_are_read_by_jobs_too(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    for one in alive(org):
        org.update_as_user("Contact", one, DoNotCall=True, Phone="+14155550123", **{LAST: sandbox.clock.now()})

    sandbox.clock.advance(600)
    feed = connect().open_feed({})

    assert ids(feed.flagged()) == alive(org)
    assert ids(feed.screened(sandbox.clock.now() - timedelta(days=1))) == alive(org)

    (cursor,) = [page.cursor for page in feed.changed()][-1:]
    sandbox.clock.advance(600)

    later = connect().open_feed({"Contact": cursor})

    assert ids(later.due(sandbox.clock.now())) == alive(org)
    assert requests(org)[CREATE] == 4
    assert len(org.jobs.every(QueryJob)) == 1, "the rows of the job that changed() has read may not be handled yet"

    list(feed.due(sandbox.clock.now()))

    assert not org.jobs.every(QueryJob)


def test_a_filter_is_judged_by_salesforce_for_rows_of_a_job(connect: Connect, org: SalesforceOrg) -> None:
    for n, one in enumerate(alive(org)):
        org.update_as_user("Contact", one, MailingCountry="France" if n % 3 else None)

    found = records(connect(filter="\"MailingCountry = 'France'\"").open_feed({}).changed())

    assert requests(org)[CREATE] == 1
    assert {record.in_scope for record in found} == {True, False}
    assert all(record.in_scope is (record.values["MailingCountry"] == "France") for record in found)


@pytest.mark.parametrize("full", [True, False])
def test_a_cursor_with_a_job_survives_its_text(full: bool, sandbox: Sandbox) -> None:
    now = sandbox.clock.now().replace(microsecond=0)

    place = Position(full, now - timedelta(1), "003A", JobPosition("750A", "MTA", 30), now)

    assert read_position(place.dump()) == place


def test_a_cursor_of_the_version_before_is_read(sandbox: Sandbox) -> None:
    old = json.dumps({"v": 1, "full": True, "since": "2026-11-02T09:00:00Z", "after": "003A"})
    assert (read_position(old).after, read_position(old).job) == ("003A", None)
