"""The rest of a large read through one query job, cut into pages as a query would give them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any

from ringfence.core.errors import AccessError, RingfenceError
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
"""How often a job is looked at, at a guess: for a quarter of a minute (``bulk_jobs``)."""

WORTH_FROM = PAGE * (4 + POLLS)
"""Rows from which a job takes fewer calls than query pages: the first page, which tells how many they are, making it,
looking at it, one page of results and deleting it, against a page for each 2,000 rows (salesforce facts, section 7).
"""

RECORDS_AT_ONCE = 5_000
"""Records of one page, larger than a query's: the state takes in a page as a whole, and few large ones in less time."""

STALE = timedelta(hours=6)
"""Age from which a job that has ended is not gone on with: its rows are those of the moment when it was made, and
people edit. One that is still at work is waited for, because another one would take as long."""

_log = logging.getLogger(__name__)


class BulkReader:
    """Reads through query jobs, for one run."""

    def __init__(self, client: SalesforceClient, clock: Clock, schema: Schema) -> None:
        self._client = client
        self._clock = clock
        self._schema = schema
        self._done: list[str] = []

    def read(self, query: Query, total: int, purpose: str) -> Iterator[QueryPage]:
        """Yield the rows of a query, in no order, with the place that is reached once they are handled.

        ``total`` is told with them. First come empty pages while Salesforce works: the first of them makes the job
        known to a later run. Raises JobGoneError where there is no job to be had or it does not give all of its rows:
        the query has to be read in another way then, from its start.
        """
        jobs = QueryJobs(self._client, self._clock, purpose)
        with _refused_as_gone():
            job = jobs.open(query)
            yield from self._results(jobs, job, query, JobPosition(job.id), total)

    def resume(self, query: Query, place: JobPosition, purpose: str) -> Iterator[QueryPage]:
        """Yield what an earlier run left of the rows of a job that it made for such a query; as :meth:`read` otherwise.

        Raises JobGoneError also for a job that has ended and is hours old, or that lacks a field because the mapping
        has grown.
        """
        jobs = QueryJobs(self._client, self._clock, purpose)
        with _refused_as_gone():
            job = jobs.get(place.id)
            now = self._client.server_now()
            if job.ended and now is not None and now - job.created > STALE:
                self._done.append(place.id)
                raise JobGoneError(f"The job {place.id} is of {job.created:%Y-%m-%d %H:%M} UTC.", "It is read anew.")
            yield from self._results(jobs, job, query, place, job.processed)

    def clear(self) -> None:
        """Delete the jobs that have been read to their end. A deletion that fails matters little: jobs expire."""
        while self._done:
            job_id = self._done.pop()
            try:
                QueryJobs(self._client, self._clock, "read").delete(job_id)
            except RingfenceError as error:
                _log.warning("the Bulk job %s could not be deleted, it expires by itself: %s", job_id, error.message)

    def _results(self, jobs: QueryJobs, job: Job, query: Query, place: JobPosition, total: int) -> Iterator[QueryPage]:
        for job in jobs.wait(job):  # noqa: B007, B020 - the same job, as it is seen later
            yield QueryPage((), False, total, place)

        self._done.append(job.id)
        if not job.complete:
            raise JobGoneError(f"Salesforce ended a query job as {job.state}: {job.error or 'no reason given'}.")

        flags = self._flags(query.object)
        while True:
            page = jobs.results(job.id, place.locator)
            reached = JobPosition(job.id, page.locator, place.rows + page.count)
            _check(job, query, page, reached)
            yield from _cut(page, flags, job.processed, place, reached)
            if page.locator is None:
                return
            place = reached

    def _flags(self, object_name: str) -> list[str]:
        return [name for name, field in self._schema.fields(object_name).items() if field["type"] == "boolean"]


@contextmanager
def _refused_as_gone() -> Iterator[None]:
    """Let a refusal say that the job comes to nothing: a job serves one read, which goes on in another way."""
    try:
        yield
    except (AnswerError, AccessError, LocatorError) as refused:
        raise JobGoneError(refused.message, refused.remedy) from refused


def _check(job: Job, query: Query, page: ResultPage, reached: JobPosition) -> None:
    # A field that the mapping spells in another way than the org does is lacking too, and no job would have it.
    if lacking := {name.lower() for name in query.fields} - {name.lower() for name in page.fields}:
        raise JobGoneError(f"The job {job.id} was made for other fields: it lacks {', '.join(sorted(lacking))}.")
    if page.locator is None and reached.rows != job.processed:
        raise JobGoneError(f"The pages of a query job hold {reached.rows:,} rows; Salesforce read {job.processed:,}.")


def _cut(
    page: ResultPage, flags: list[str], total: int, place: JobPosition, reached: JobPosition
) -> Iterator[QueryPage]:
    """Yield a page of results as pages of records; only the last of them moves the place on.

    A place within a page would count on the same order of rows when it is asked for again, which nobody promises.
    """
    there = [name for name in flags if name in page.fields]
    rows = (_typed(row, there) for row in page.rows())
    left = page.count

    while True:
        some = list(islice(rows, RECORDS_AT_ONCE))
        left -= len(some)
        yield QueryPage(some, page.locator is None and not left, total, place if left else reached)
        if not left:
            return


def _typed(row: dict[str, Any], flags: list[str]) -> dict[str, Any]:
    for name in flags:
        row[name] = row[name] == "true"
    return row
