"""Reads through query jobs that break off or have to wait: the next run goes on with the same job."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import read_position
from ringfence.core.errors import QuotaError, UnreachableError
from ringfence.core.ports.crm import Page
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reading import CREATE, POLL, alive, fail, ids, requests

Connect = Callable[..., SalesforceCrm]

pytestmark = [
    pytest.mark.usefixtures("small_pages"),
    pytest.mark.parametrize("sandbox", [{"contacts": 150}], indirect=True),
]


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
