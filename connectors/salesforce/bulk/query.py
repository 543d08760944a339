"""Query jobs: many rows in few calls, in no particular order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from requests import Response

from ringfence.core.errors import RetryError
from ringfence.core.ports.services import Clock

from ..client import SalesforceClient
from ..soql import Query
from .csv_sheet import CHUNK_BYTES, ResultFile, read_result_file
from .jobs import Job, JobCalls

RESULT_ROWS = 50_000
"""Rows of one page of results: what the client library asks for too (docs/vendors/salesforce.md, section 1.7)."""

FIRST_ROWS = 10_000
"""Rows of the first page. It is smaller, because a page is received whole before a row of it is used, and the whole run
waits for the first one."""

_LAST = "null"


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a query job's results. ``locator`` asks for the next page; it is None on the last one."""

    file: ResultFile
    locator: str | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.file.header

    @property
    def count(self) -> int:
        """Return how many rows it has."""
        return self.file.count

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield field name -> cell, every cell as text, None where there is no value."""
        fields = self.fields
        for row in self.file.rows():
            yield dict(zip(fields, [cell or None for cell in row], strict=True))


class QueryJobs(JobCalls):
    """The query jobs of one org, counted as reads for ``purpose``."""

    def __init__(self, client: SalesforceClient, clock: Clock, purpose: str) -> None:
        super().__init__(client, clock, "query", purpose)

    def open(self, query: Query) -> Job:
        """Create a job for a query. The query has no order, which would keep Salesforce from splitting the work up."""
        operation = "queryAll" if query.deleted_too else "query"
        return self.create({"operation": operation, "query": query.soql(ordered=False)})

    def results(self, job_id: str, locator: str | None) -> ResultPage:
        """Return the page of results at a locator, the first one for None; any page can be read any number of times.

        The page is received whole, and holds as many rows as its header says, before a row of it is used: a page that
        was cut off is requested again. Raises JobGoneError where the job is gone or was made under another API version.
        """
        params: dict[str, Any] = {"maxRecords": FIRST_ROWS}
        if locator is not None:
            params = {"maxRecords": RESULT_ROWS, "locator": locator}

        return self.request("GET", f"{job_id}/results", _read_results, params=params, headers={"Accept": "text/csv"})


def _read_results(answer: Response) -> ResultPage:
    expected = answer.headers.get("Sforce-NumberOfRecords", "")
    locator = answer.headers.get("Sforce-Locator", "")
    file = read_result_file(answer.iter_content(CHUNK_BYTES))

    if not expected.isdigit() or not locator:
        raise RetryError("The results of a Bulk query came without Salesforce's headers.")
    if file.count != int(expected):
        raise RetryError(f"A page of a Bulk query has {file.count:,} rows; Salesforce said {int(expected):,}.")
    if not file.is_rectangular:
        raise RetryError("A page of a Bulk query has rows that are shorter or longer than its header.")

    return ResultPage(file, None if locator == _LAST else locator)
