"""Filters as people write them reach Salesforce in their own words, whichever way a read goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from ringfence.connectors.salesforce import paging
from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.ports.crm import Level, Page
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.query import world_of
from ringfence.sandbox.salesforce.soql.run import run_query
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
OLD = datetime(2020, 1, 1, tzinfo=UTC)

FILTERS = [
    "Account.Name LIKE 'A%'",
    "Owner.IsActive = true AND LastModifiedDate = LAST_N_DAYS:400",
    "Id IN (SELECT ContactId FROM CampaignMember WHERE Campaign.IsActive = true)",
    "Id NOT IN (SELECT ContactId FROM CampaignMember) AND LeadSource IN ('Web', 'Other')",
    "LeadSource = 'Web' OR CreatedDate < THIS_FISCAL_QUARTER",
    "NOT LastName LIKE 'A%'",
    "LeadSource != 'it\\\\'s (SELECT' AND (Title = null OR Title LIKE '100\\\\%')",
]

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 80}], indirect=True)


def inside(pages: Iterable[Page]) -> set[str]:
    return {record.id for page in pages for record in page.records if record.in_scope}


def truth(org: SalesforceOrg, condition: str) -> set[str]:
    found = run_query(f"SELECT Id FROM Contact WHERE {condition}", world_of(org), with_deleted=False)
    return {str(row["Id"]) for row in found.rows}


@pytest.fixture(params=["pages", "job"])
def way(request: pytest.FixtureRequest, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Give whether reads are so large that they go by a job."""
    if request.param == "job":
        org.page_size = 10
        monkeypatch.setattr(bulk_read, "WORTH_FROM", 15)
    return bool(request.param == "job")


@pytest.mark.parametrize("condition", FILTERS)
def test_a_filter_is_judged_by_the_org_in_its_own_words(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, way: bool, condition: str
) -> None:
    condition = condition.replace("\\\\", "\\")
    wanted = truth(org, condition)
    options = {"filter": '"' + condition.replace("\\", "\\\\") + '"'}
    feed = connect(**options).open_feed({})
    pages = list(feed.changed())

    assert inside(pages) == wanted
    assert bool(org.requests["POST /jobs/query"]) is way

    sandbox.clock.advance(600)
    cursor = [page.cursor for page in pages if page.cursor][-1]
    due = inside(connect(**options).open_feed({"Contact": cursor}).due(OLD))

    assert due <= wanted
    assert due == wanted & inside(connect().open_feed({"Contact": cursor}).due(OLD))


@pytest.mark.parametrize("condition", FILTERS[:6])
def test_check_takes_what_the_org_takes(connect: Connect, condition: str) -> None:
    findings = connect(filter=f'"{condition}"').check()

    assert [each.level for each in findings if each.subject == "Contact.filter"] == [Level.OK]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("Account.Nmae = 'x'", "No such column 'Nmae'"),
        ("Phone = null OR Id IN (SELECT ContactId FROM CampaignMember)", "Semi join sub-selects"),
        ("Description LIKE 'x%'", "can not be filtered"),
        ("LastModifiedDate = LAST_WEK", "LAST_WEK"),
    ],
)
def test_check_quotes_why_the_org_refuses(connect: Connect, condition: str, words: str) -> None:
    (finding,) = [each for each in connect(filter=f'"{condition}"').check() if each.subject == "Contact.filter"]

    assert finding.level is Level.PROBLEM
    assert words in finding.message


def test_a_long_filter_leaves_room_for_fewer_ids(
    connect: Connect, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = ", ".join(f"'Source {number}'" for number in range(900))
    monkeypatch.setattr(paging, "IDS_IN_A_QUERY", 10_000)

    feed = connect(filter=f'"LeadSource NOT IN ({sources})"').open_feed({})

    assert inside(feed.changed()) == {one for one, row in org.rows("Contact").items() if not row["IsDeleted"]}
