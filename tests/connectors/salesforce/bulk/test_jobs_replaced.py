"""Query jobs that are gone, refused or fail: their reads go on in another way, and lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import read_position
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reading import CREATE, RESULTS, alive, fail, ids, records, requests, window_cursor

Connect = Callable[..., SalesforceCrm]

pytestmark = [
    pytest.mark.usefixtures("small_pages"),
    pytest.mark.parametrize("sandbox", [{"contacts": 150}], indirect=True),
]


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


def test_where_no_job_can_be_created_pages_are_read(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    fail(sandbox, "POST", "/jobs/query", "kind: refuse, status: 500")

    assert ids(connect().open_feed({}).changed()) == alive(org)
    assert requests(org)[CREATE]


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
