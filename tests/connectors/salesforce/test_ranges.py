"""An object in ranges of ids, each read beside the others: what is special about Salesforce in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

import ringfence.connectors.salesforce.bulk.reader as bulk_reader
import ringfence.connectors.salesforce.splitting as splitting
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import StateError
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg

from .reads import Connect, alive, ids, records

SCATTERED = {"contacts": 400, "org": parse_org("salesforce: {scattered_ids: true}", "test")}
SLOW = {"contacts": 90, "org": parse_org("salesforce: {slow_queries_above: 20}", "test")}
LATE = datetime(2100, 1, 1, tzinfo=UTC)


def read(crm: SalesforceCrm, ranges: Sequence[str], name: str = "Contact") -> list[list[str]]:
    return [ids(crm.open_range(name, each).changed()) for each in ranges]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranges be found by counts, as those of large objects are."""
    monkeypatch.setattr(splitting, "PAGE", 10)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("sandbox", [SCATTERED], indirect=True)
def test_ids_from_two_places_are_divided_evenly_at_few_calls(connect: Connect, org: SalesforceOrg) -> None:
    crm, everyone = connect(), alive(org)
    crm.check()
    before = crm.calls["read"]

    ranges = crm.split("Contact", 4)
    asked = crm.calls["read"] - before
    parts = read(crm, ranges)

    assert Counter(one for part in parts for one in part) == Counter(everyone)
    assert max(map(len, parts)) < 1.3 * len(everyone) / 4
    assert asked <= 8


def test_a_small_object_is_divided_at_one_call(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect()
    crm.check()
    before = crm.calls["read"]

    ranges = crm.split("Contact", 3)

    assert crm.calls["read"] - before == 1
    assert sum(map(len, read(crm, ranges))) == len(alive(org))


def test_converted_leads_stay_out(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.convert_lead(alive(org, "Lead")[0])
    crm = connect(both)
    crm.check()

    found = read(crm, crm.split("Lead", 2), "Lead")

    assert Counter(one for part in found for one in part) == Counter(alive(org, "Lead"))


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("sandbox", [SLOW], indirect=True)
def test_where_counting_takes_too_long_the_ranges_still_hold_all(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect()
    crm.check()

    found = read(crm, crm.split("Contact", 3))

    assert Counter(one for part in found for one in part) == Counter(alive(org))


@pytest.fixture
def by_job(monkeypatch: pytest.MonkeyPatch, org: SalesforceOrg) -> None:
    monkeypatch.setattr(bulk_reader, "WORTH_FROM", 10)
    org.page_size = 5


@pytest.mark.usefixtures("by_job")
def test_a_large_range_is_read_by_a_job_of_its_own_that_another_worker_resumes(
    connect: Connect, org: SalesforceOrg
) -> None:
    (range_,) = connect().split("Contact", 1)
    pages = iter(connect().open_range("Contact", range_).changed())
    taken = [next(pages), next(pages)]
    heir = connect().open_range("Contact", range_, taken[-1].cursor)

    rest = list(heir.changed())
    heir.finish()

    assert Counter(ids([*taken, *rest])) == Counter(alive(org))
    assert org.requests["POST /jobs/query"] == 1
    assert org.requests["DELETE /jobs/query/{job_id}"] == 1
    assert not any(page.authoritative for page in rest)


@pytest.mark.usefixtures("by_job")
def test_a_job_that_is_gone_is_read_again_from_the_last_place(connect: Connect, org: SalesforceOrg) -> None:
    low, _ = connect().split("Contact", 2)
    pages = iter(connect().open_range("Contact", low).changed())
    taken = [next(pages), next(pages)]
    pages.close()  # type: ignore[attr-defined]  # a generator
    org.jobs.drop_all()

    rest = ids(connect().open_range("Contact", low, taken[-1].cursor).changed())

    assert Counter(ids(taken)) + Counter(rest) == Counter(read(connect(), [low])[0])


def test_due_records_of_a_range_lie_in_it_and_in_the_filter(connect: Connect, org: SalesforceOrg) -> None:
    some = alive(org)[::2]
    for one in alive(org):
        org.update_as_user("Contact", one, MailingCountry="DE" if one in some else "FR", Phone="+14155550132")
    crm = connect(filter="\"MailingCountry = 'DE'\"")
    crm.check()

    due = [records(crm.open_range("Contact", each).due(LATE)) for each in crm.split("Contact", 2)]

    assert all(due)
    assert sorted(record.id for part in due for record in part) == some
    assert crm.count_due("Contact", LATE) == len(some)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"v": 9, "from": null, "to": null}'])
def test_a_text_that_is_no_range_is_refused(connect: Connect, text: str) -> None:
    with pytest.raises(StateError):
        connect().open_range("Contact", text)
