"""Query jobs: many rows in few calls, in no order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from requests import Response

from ringfence.core.errors import RetryError
from ringfence.core.ports.services import Clock

from ..client import SalesforceClient
from ..soql import Query
from .csv_sheet import ResultFile, read_result_file
from .jobs import Job, JobCalls

RESULT_ROWS = 50_000
"""Rows of one page of results: what the client library asks for too (salesforce facts, section 1.7)."""

FIRST_ROWS = 10_000
"""Rows of the first page: a page is looked over before a row of it is given, and the whole run waits for the first."""

_PIECE = 1 << 16
_LAST = "null"


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a query job's results: ``locator`` is the place of the next page, None after the last one."""

    page: ResultFile
    locator: str | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.page.header

    @property
    def count(self) -> int:
        """Return how many rows it has."""
        return self.page.count

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield field name -> cell, every cell as text, None where there is no value."""
        fields = self.fields
        for row in self.page.rows():
            yield dict(zip(fields, [cell or None for cell in row], strict=True))


class QueryJobs(JobCalls):
    """The query jobs of one org, counted as reads for ``purpose``."""

    def __init__(self, client: SalesforceClient, clock: Clock, purpose: str) -> None:
        super().__init__(client, clock, "query", purpose)

    def open(self, query: Query) -> Job:
        """Make a job for a query. It carries no order, which would keep Salesforce from splitting the work up."""
        return self.create({"operation": "query", "query": query.soql(ordered=False)})

    def results(self, job_id: str, locator: str | None) -> ResultPage:
        """Return the page of results at a locator, the first one for None; it can be asked for any number of times.

        The page is here as a whole, and holds as many rows as its header says, before a row of it is given: a page that
        was cut off is asked for again. Raises JobGoneError where the job is not there or under another API version.
        """
        wanted: dict[str, Any] = {"maxRecords": FIRST_ROWS}
        if locator is not None:
            wanted = {"maxRecords": RESULT_ROWS, "locator": locator}

        return self.ask("GET", f"{job_id}/results", _read_results, params=wanted, headers={"Accept": "text/csv"})


def _read_results(answer: Response) -> ResultPage:
    told = answer.headers.get("Sforce-NumberOfRecords", "")
    locator = answer.headers.get("Sforce-Locator", "")
    page = read_result_file(answer.iter_content(_PIECE))
    if not told.isdigit() or not locator:
        raise RetryError("The results of a Bulk query came without Salesforce's headers.")
    if page.count != int(told):
        raise RetryError(f"A page of a Bulk query has {page.count:,} rows; Salesforce said {int(told):,}.")
    if not page.even:
        raise RetryError("A page of a Bulk query has rows that are shorter or longer than its header.")
    return ResultPage(page, None if locator == _LAST else locator)
