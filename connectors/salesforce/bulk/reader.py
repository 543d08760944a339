"""Reading what is large, or the rest of it, through one query job, in pages like those of a query."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any

from ringfence.core.errors import AccessError, RingfenceError, UnreachableError
from ringfence.core.ports.services import Clock

from ..client import PAGE, SalesforceClient
from ..cursor import JobPosition
from ..errors import AnswerError, JobGoneError, LocatorError
from ..paging import QueryPage
from ..schema import Schema
from ..soql import Query
from .jobs import Job
from .query import QueryJobs, ResultPage

POLLS = 6
"""Polls of a job, estimated: those of its first quarter of a minute (see ``jobs``)."""

WORTH_FROM = PAGE * (4 + POLLS)
"""Rows from which a job takes fewer calls than query pages: the first page of the query, which gives their number,
creating the job, polling it, one page of results and deleting it, against a page for each 2,000 rows (salesforce.md,
section 7).
"""

RECORDS_AT_ONCE = 5_000
"""Records of one page. It is larger than a query's, because the state stores a page at once, and few large pages take
less time."""

STALE = timedelta(hours=6)
"""Age from which a job that has ended is not resumed: its rows are as they were when it was created, and people edit. A
job that is still at work is waited for, because another one would take as long."""

_log = logging.getLogger(__name__)


class BulkReader:
    """Reads through query jobs, for one run."""

    def __init__(self, client: SalesforceClient, clock: Clock, schema: Schema) -> None:
        self._client = client
        self._clock = clock
        self._schema = schema
        self._finished: list[str] = []

    def read(self, query: Query, total: int | None, purpose: str) -> Iterator[QueryPage]:
        """Yield the rows of a query, in no order, each page with the position that is reached once it is handled.

        ``total`` is the number of rows that each page reports; None where nobody knows it. Empty pages come first,
        while Salesforce works: the first of them makes the job known to a later run. Raises JobGoneError where no job
        can be created or it does not give all of its rows: the caller must then read the query in another way, from its
        start.
        """
        jobs = QueryJobs(self._client, self._clock, purpose)
        with _refusal_as_gone():
            job = _create(jobs, query)
            yield from self._pages(jobs, job, query, JobPosition(job.id), total)

    def resume(self, query: Query, position: JobPosition, purpose: str) -> Iterator[QueryPage]:
        """Yield the rows that an earlier run left of its job for such a query; otherwise as :meth:`read`.

        Raises JobGoneError also for a job that has ended and is hours old, or that lacks a field because the mapping
        has grown.
        """
        jobs = QueryJobs(self._client, self._clock, purpose)
        with _refusal_as_gone():
            job = jobs.get(position.id)
            now = self._client.server_now()
            if job.ended and now is not None and now - job.created > STALE:
                self._finished.append(position.id)
                raise JobGoneError(f"The job {position.id} is of {job.created:%Y-%m-%d %H:%M} UTC.", "It is read anew.")

            yield from self._pages(jobs, job, query, position, job.processed)

    def delete_finished_jobs(self) -> None:
        """Delete the jobs that have been read to their end. A deletion that fails matters little: jobs expire."""
        while self._finished:
            job_id = self._finished.pop()
            try:
                QueryJobs(self._client, self._clock, "read").delete(job_id)
            except RingfenceError as error:
                _log.warning("the Bulk job %s could not be deleted, it expires by itself: %s", job_id, error.message)

    def _pages(
        self, jobs: QueryJobs, job: Job, query: Query, position: JobPosition, total: int | None
    ) -> Iterator[QueryPage]:
        for job in jobs.wait(job):  # noqa: B020 - the same job, as it is seen later
            # Where the number is not known yet, a page must not say that there are no rows.
            yield QueryPage((), False, max(1, job.processed) if total is None else total, position)

        self._finished.append(job.id)
        if not job.complete:
            raise JobGoneError(f"Salesforce ended a query job as {job.state}: {job.error or 'no reason given'}.")

        flags = self._boolean_fields(query.object)
        while True:
            page = jobs.results(job.id, position.locator)
            reached = JobPosition(job.id, page.locator, position.rows + page.count)
            _check(job, query, page, reached)
            yield from _cut(page, flags, job.processed, position, reached)

            if page.locator is None:
                return
            position = reached

    def _boolean_fields(self, object_name: str) -> list[str]:
        return [name for name, field in self._schema.fields(object_name).items() if field["type"] == "boolean"]


def _create(jobs: QueryJobs, query: Query) -> Job:
    """Return a new job; raise JobGoneError too where jobs are out of order, for pages may do."""
    try:
        return jobs.open(query)
    except UnreachableError as error:
        raise JobGoneError(error.message, error.remedy) from error


@contextmanager
def _refusal_as_gone() -> Iterator[None]:
    """Raise a refusal as JobGoneError: a job serves one read, which can go on in another way."""
    try:
        yield
    except (AnswerError, AccessError, LocatorError) as refused:
        raise JobGoneError(refused.message, refused.remedy) from refused


def _check(job: Job, query: Query, page: ResultPage, reached: JobPosition) -> None:
    """Raise JobGoneError for a page that lacks a field of the query, or a last page that leaves rows out."""
    # A field that the mapping spells in another way than the org does is missing too, and no job would have it.
    missing = {name.lower() for name in query.fields} - {name.lower() for name in page.fields}
    if missing:
        raise JobGoneError(f"The job {job.id} was made for other fields: it lacks {', '.join(sorted(missing))}.")

    if page.locator is None and reached.rows != job.processed:
        raise JobGoneError(f"The pages of a query job hold {reached.rows:,} rows; Salesforce read {job.processed:,}.")


def _cut(
    page: ResultPage, flags: list[str], total: int, position: JobPosition, reached: JobPosition
) -> Iterator[QueryPage]:
    """Yield a page of results as pages of records; only the last of them has the position behind the page.

    A position within a page would rely on the rows coming in the same order when the page is read again, which nobody
    promises.
    """
    present = [name for name in flags if name in page.fields]
    rows = (_type_flags(row, present) for row in page.rows())
    left = page.count

    while True:
        records = list(islice(rows, RECORDS_AT_ONCE))
        left -= len(records)
        yield QueryPage(records, page.locator is None and not left, total, position if left else reached)

        if not left:
            return


def _type_flags(row: dict[str, Any], flags: list[str]) -> dict[str, Any]:
    for name in flags:
        row[name] = row[name] == "true"
    return row
