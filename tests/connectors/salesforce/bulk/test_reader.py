"""Large reads through query jobs: every row once, typed as ever, as it is now."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import JobPosition, Position, read_position
from ringfence.sandbox.salesforce.bulk_extract import QueryJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reading import CREATE, LAST, RESULTS, alive, ids, records, requests

Connect = Callable[..., SalesforceCrm]

pytestmark = [
    pytest.mark.usefixtures("small_pages"),
    pytest.mark.parametrize("sandbox", [{"contacts": 150}], indirect=True),
]


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
