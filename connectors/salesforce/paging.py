"""Reading queries page by page to their end; the first pages of several queries come in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..http.batches import in_batches
from .client import Row, SalesforceClient
from .composite import HEAVY_SUBREQUESTS, query_subrequest
from .cursor import JobPosition
from .errors import JobGoneError, LocatorError
from .soql import Query, one_of

IDS_IN_A_QUERY = 600
"""Ids that fit the address of one query: 21 characters each, under 16,384 together."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Rows of one page. ``last`` tells that no page follows; ``total`` is the number of rows of the whole query.

    For rows from a query job, ``job`` is the position in its results that is reached once the rows are handled.
    """

    rows: Sequence[dict[str, Any]]
    last: bool
    total: int
    job: JobPosition | None = None


BulkFallback = Callable[[Query, int], Iterator[QueryPage] | None]
"""Takes the unread rest of a query and the number of rows of the whole; returns the pages of a job, or None where it is
not worth one. Iterating over the pages raises JobGoneError where the job fails."""


def read_first(client: SalesforceClient, queries: Sequence[Query], purpose: str) -> list[Row]:
    """Return the first page of up to five queries, in one call."""
    subrequests = [query_subrequest(query.soql(), deleted_too=query.deleted_too) for query in queries]
    return client.read_together(subrequests, purpose, "a query")


def read_pages(
    client: SalesforceClient, queries: Iterable[Query], purpose: str, fallback: BulkFallback | None = None
) -> Iterator[tuple[int, QueryPage]]:
    """Yield the pages of the queries, one query after the other, each with the query's number.

    First pages come in Composite calls of five queries, further ones by a call each or from ``fallback``.
    """
    numbered = iter(enumerate(queries))
    while batch := list(islice(numbered, HEAVY_SUBREQUESTS)):
        firsts = read_first(client, [query for _, query in batch], purpose)
        firsts.reverse()
        for number, query in batch:
            for page in follow(client, query, firsts.pop(), purpose, fallback):
                yield number, page


def follow(
    client: SalesforceClient, query: Query, page: Row, purpose: str, fallback: BulkFallback | None = None
) -> Iterator[QueryPage]:
    """Yield a query's pages from its first one on. When the cursor expires the query starts again behind the last row.

    The total in the first page decides whether ``fallback`` reads the rest; where that fails, pages are read after all.
    A short page need not be the last: Salesforce may send fewer rows than it could (salesforce.md, section 2.1).
    """
    total, seen, rest = page["totalSize"], 0, query
    while True:
        rows = page["records"]
        seen += len(rows)

        if rows:
            rest = query.behind(rows[-1])

        yield QueryPage(rows, page["done"], total)
        if page["done"]:
            break

        if fallback and (other := fallback(rest, total)):
            try:
                yield from other
            except JobGoneError as error:
                _log.warning("%s is read page by page, a query job did not serve: %s", query.object, error.message)
            else:
                return

        fallback = None
        try:
            page = client.more(page["nextRecordsUrl"], purpose)
        except LocatorError:
            (page,) = read_first(client, [rest], purpose)

    if seen < total:
        _log.warning("%s: %d of %d rows vanished while they were read", query.object, total - seen, total)


def read_scope(
    client: SalesforceClient, object_name: str, condition: str, ids: Sequence[str], purpose: str
) -> set[str]:
    """Return which of the ids lie inside a condition.

    Salesforce itself judges each row, so that empty fields count as it sees fit; asking for ``NOT (condition)`` instead
    could miss rows whose fields are empty.
    """
    queries = [
        Query(object_name, ("Id",), (one_of(batch), f"({condition})")) for batch in in_batches(ids, IDS_IN_A_QUERY)
    ]
    return {row["Id"] for _, page in read_pages(client, queries, purpose) for row in page.rows}


def read_masters(client: SalesforceClient, object_name: str, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return deleted id -> id of the record that it was merged into, for those of the ids that were merged."""
    fields = ("Id", "IsDeleted", "MasterRecordId")
    queries = [
        Query(object_name, fields, (one_of(batch),), deleted_too=True) for batch in in_batches(ids, IDS_IN_A_QUERY)
    ]

    rows = [row for _, page in read_pages(client, queries, "read") for row in page.rows]
    return {row["Id"]: row["MasterRecordId"] for row in rows if row["IsDeleted"] and row["MasterRecordId"]}
