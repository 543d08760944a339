"""Orgs so large that Salesforce breaks queries off: every row still comes, once, by a job or in pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import read_position
from ringfence.core.errors import UnreachableError
from ringfence.core.ports.crm import Level, Page
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
LARGE = parse_org("salesforce: {slow_queries_above: 20}", "test")
CREATE = "POST /jobs/query"
OLD = datetime(2020, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 90, "org": LARGE}], indirect=True)


@pytest.fixture(autouse=True)
def _raise_flags(org: SalesforceOrg) -> None:
    for one in list(org.rows("Contact"))[::5]:
        org.update_as_user("Contact", one, DoNotCall=True)


def ids(pages: Iterable[Page]) -> Counter[str]:
    return Counter(record.id for page in pages for record in page.records)


def flagged(org: SalesforceOrg, *, deleted: bool = False) -> Counter[str]:
    rows = org.rows("Contact").items()
    return Counter(one for one, row in rows if row["DoNotCall"] is True and row["IsDeleted"] is deleted)


def refuse_jobs(sandbox: Sandbox) -> None:
    rule = "{service: salesforce, when: {path: /jobs/query}, fault: {kind: refuse, status: 400, code: LIMIT_EXCEEDED}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")


@pytest.fixture(params=["jobs", "no jobs"])
def jobs(request: pytest.FixtureRequest, sandbox: Sandbox) -> bool:
    """Give whether the org takes query jobs."""
    if request.param == "no jobs":
        refuse_jobs(sandbox)
    return bool(request.param == "jobs")


def test_opt_outs_are_read_although_their_query_times_out(connect: Connect, org: SalesforceOrg, jobs: bool) -> None:
    wanted = flagged(org)
    gone = next(iter(wanted))
    org.delete("Contact", gone)

    pages = list(connect().open_feed({}).flagged())

    assert ids(page for page in pages if not page.gone) == flagged(org)
    assert ids(page for page in pages if page.gone) == {gone: 1}
    assert bool(org.requests[CREATE]) == jobs or not jobs


def test_a_read_of_everything_ends_in_front_of_the_watermark(connect: Connect, org: SalesforceOrg, jobs: bool) -> None:
    alive = Counter(one for one, row in org.rows("Lead").items() if not row["IsConverted"])
    leads = "crm: salesforce\nobjects:\n  Lead:\n    phones: {Phone: {}}\n"
    org.traits = org.traits.model_copy(update={"slow_queries_above": 5})

    pages = list(connect(leads).open_feed({}).changed())

    assert ids(pages) == alive
    assert [page.cursor for page in pages if page.cursor][-1]
    assert not read_position([page.cursor for page in pages if page.cursor][-1]).full


def test_a_window_in_which_much_has_changed_keeps_the_order_of_stamps(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, jobs: bool
) -> None:
    sandbox.clock.advance(600)
    cursor = [page.cursor for page in connect().open_feed({}).changed() if page.cursor][-1]
    sandbox.clock.advance(600)
    alive = [one for one, row in org.rows("Contact").items() if not row["IsDeleted"]]

    for number, one in enumerate(alive):
        org.set_modified("Contact", [one], sandbox.clock.now())
        sandbox.clock.advance(7 if number % 3 else 0)
    sandbox.clock.advance(1_000)

    pages = list(connect().open_feed({"Contact": cursor}).changed())

    assert ids(pages) == Counter(alive)

    stamps = [record.modified for page in pages for record in page.records]

    assert jobs or stamps == sorted(stamps)


def test_a_timed_out_query_is_not_repeated_and_not_tried_again(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect()
    feed = crm.open_feed({})
    list(feed.flagged())
    before = org.requests["POST /composite"]
    list(feed.screened(OLD))

    assert before == 1
    assert org.requests["POST /composite"] == before
    assert org.requests[CREATE] == 3


def test_records_due_by_age_are_read_too(connect: Connect, org: SalesforceOrg, sandbox: Sandbox, jobs: bool) -> None:
    cursor = [page.cursor for page in connect().open_feed({}).changed() if page.cursor][-1]
    sandbox.clock.advance(600)
    never = Counter(
        one
        for one, row in org.rows("Contact").items()
        if not row["IsDeleted"]
        and any(row[slot] and not row[f"RF_{slot}_Last_Screened__c"] for slot in ("Phone", "MobilePhone"))
    )

    assert ids(connect().open_feed({"Contact": cursor}).due(OLD)) == never


def test_a_timeout_that_passes_costs_no_job(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    org.traits = org.traits.model_copy(update={"slow_queries_above": None})
    rule = "{service: salesforce, when: {purpose: read, nth: 1}, fault: {kind: refuse, status: 400}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")

    found = ids(connect().open_feed({}).flagged())

    assert found == flagged(org)
    assert not org.requests[CREATE]


def test_an_org_that_answers_no_query_at_all_ends_the_run(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    refuse_jobs(sandbox)
    org.traits = org.traits.model_copy(update={"slow_queries_above": 0})

    with pytest.raises(UnreachableError, match="QUERY_TIMEOUT"):
        list(connect().open_feed({}).flagged())


def test_check_says_what_a_slow_filter_means(connect: Connect) -> None:
    (finding,) = [each for each in connect(filter="\"Title != 'x'\"").check() if each.subject == "Contact.filter"]

    assert finding.level is Level.WARNING
    assert "two minutes" in finding.message
