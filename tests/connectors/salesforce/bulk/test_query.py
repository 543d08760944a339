"""What the results of a job, mostly of a query, have to be before a row of them is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.bulk.csv_sheet import SheetBuilder, read_result_file
from ringfence.connectors.salesforce.bulk.ingest import IngestJobs
from ringfence.connectors.salesforce.bulk.jobs import Job
from ringfence.connectors.salesforce.bulk.query import QueryJobs, ResultPage
from ringfence.connectors.salesforce.bulk.reader import BulkReader
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import JobGoneError
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.connectors.salesforce.soql import Query
from ringfence.core.errors import RetryError, UnreachableError
from ringfence.core.ports.services import Services
from testkit.clock import SetClock

from ...conftest import Script

JOB = {"id": "750A", "state": "JobComplete", "createdDate": "2026-11-02T09:00:00.000+0000"}
CSV = '"Id","Phone"\n"003A","one\ntwo"\n"003B",""\n'


@pytest.fixture
def crm(script: Script, clock: SetClock, shapes: Callable[..., Any]) -> Iterator[SalesforceCrm]:
    settings = SalesforceSettings(instance_url=script.url, access_token="00D!secret")
    made = plugin.connect(settings, shapes(), Services(clock))
    assert isinstance(made, SalesforceCrm)
    yield made
    made.close()


@pytest.fixture
def results(crm: SalesforceCrm, clock: SetClock) -> Callable[[], ResultPage]:
    return lambda: QueryJobs(crm._client, clock, "read").results("750A", None)


def headers(rows: int, locator: str = "null", **more: str) -> dict[str, str]:
    return {"Sforce_NumberOfRecords": str(rows), "Sforce_Locator": locator, **more}


def test_a_page_is_rows_of_text(script: Script, results: Callable[[], ResultPage]) -> None:
    script.says(200, CSV, **headers(2, "MTA"))

    page = results()

    assert (page.count, page.locator) == (2, "MTA")
    assert list(page.rows()) == [{"Id": "003A", "Phone": "one\ntwo"}, {"Id": "003B", "Phone": None}]
    assert script.seen[0][1].endswith("/jobs/query/750A/results?maxRecords=10000")


def test_no_rows_are_a_page_too(script: Script, results: Callable[[], ResultPage]) -> None:
    script.says(200, '"Id","Phone"\n', **headers(0))

    page = results()

    assert (page.count, page.locator, list(page.rows())) == (0, None, [])


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (CSV, headers(3)),
        (CSV, headers(1)),
        (CSV, {}),
        (CSV, {"Sforce_NumberOfRecords": "2"}),
        (CSV, headers(2, Content_Length="500")),
        ("<html>a proxy</html>", headers(2)),
        (CSV + '"003C\n', headers(3)),
        ('"Id","Phone"\n"003A"\n"003B",""\n', headers(2)),
    ],
)
def test_a_page_that_is_not_whole_is_asked_for_again(
    script: Script, results: Callable[[], ResultPage], body: str, sent: dict[str, str]
) -> None:
    script.says(200, body, **sent)
    script.says(200, CSV, **headers(2))

    assert results().count == len(script.seen) == 2


def test_a_page_that_is_never_whole_ends_the_run(script: Script, results: Callable[[], ResultPage]) -> None:
    script.says(200, CSV, **headers(3))

    with pytest.raises(UnreachableError, match="has 2 rows; Salesforce said 3"):
        results()


@pytest.mark.parametrize("status", [404, 409])
def test_a_job_that_is_gone_is_told_apart(script: Script, results: Callable[[], ResultPage], status: int) -> None:
    script.says(status, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])

    with pytest.raises(JobGoneError):
        results()


def test_pages_that_hold_fewer_rows_than_the_job_read_are_not_the_whole(
    script: Script, crm: SalesforceCrm, clock: SetClock
) -> None:
    script.says(200, JOB | {"numberRecordsProcessed": 3})
    script.says(200, {"fields": [{"name": "Id", "type": "id"}]})
    script.says(200, CSV, **headers(2))
    reader = BulkReader(crm._client, clock, crm._schema)
    given = []

    with pytest.raises(JobGoneError, match="2 rows; Salesforce read 3"):
        given.extend(reader.read(Query("Contact", ("Id", "Phone")), 3, "read"))

    assert not any(found.last for found in given)


def test_a_row_that_was_refused_is_not_written_whatever_else_is_said(
    script: Script, crm: SalesforceCrm, clock: SetClock
) -> None:
    script.says(200, '"sf__Id","sf__Error","Id"\n"","STRING_TOO_LONG:too long:--","003A"\n')
    script.says(
        200, '"sf__Id","sf__Created","Id"\n"003A","false","003A"\n"003B","false","003B"\n"003B","false","003B"\n'
    )
    job = Job("750A", "JobComplete", clock.now(), processed=4, failed=1)

    written = [(result.id, result.fault is None) for result in IngestJobs(crm._client, clock).results(job)]

    assert written == [("003A", False), ("003B", True)]


@pytest.mark.parametrize("answer", ["[]", "{}", '{"id": "750A"}', '"text"', "<html>"])
def test_an_answer_about_a_job_that_is_none_is_no_answer(
    script: Script, crm: SalesforceCrm, clock: SetClock, answer: str
) -> None:
    script.says(200, answer)
    script.says(200, JOB)

    assert QueryJobs(crm._client, clock, "read").get("750A").complete
    assert len(script.seen) == 2


def test_a_query_goes_out_without_its_order(script: Script, crm: SalesforceCrm, clock: SetClock) -> None:
    script.says(200, JOB)
    QueryJobs(crm._client, clock, "read").open(Query("Contact", ("Id",), ("Id > '003A'",)))

    assert b"ORDER BY" not in script.seen[0][2]
    assert b"SELECT Id FROM Contact WHERE Id > '003A'" in script.seen[0][2]


def test_a_sheet_can_be_read_twice_and_keeps_every_character() -> None:
    rows = [["003A", ' "quoted", \r\n spaced '], ["003B", "\u2028ü☎"], ["003C", ""], ["003D", 'a","b']]
    made = SheetBuilder()
    made.add([["Id", "Phone"], *rows])
    sheet = made.finish()

    for _ in range(2):
        assert list(sheet.rows()) == [["Id", "Phone"], *rows]
        assert len(b"".join(sheet)) == len(sheet)


def test_a_page_shows_nothing_of_what_it_holds(script: Script, results: Callable[[], ResultPage]) -> None:
    script.says(200, CSV, **headers(2))

    page = results()

    assert b"003A" in page.file.content
    assert "003A" not in repr(page)


def test_a_sheet_that_is_no_text_shows_nothing_of_it() -> None:
    with pytest.raises(RetryError) as caught:
        read_result_file([b"Id\n4155550123\xff\n"])
    assert "4155550123" not in str(caught.value)
