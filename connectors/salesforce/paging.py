"""Reading queries page by page to their end; the first pages of several queries come in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ..http.batches import in_batches
from .client import Row, SalesforceClient
from .composite import HEAVY_SUBREQUESTS, MAX_URI, query_subrequest
from .cursor import JobPosition
from .errors import JobGoneError, LocatorError, QueryTimeoutError
from .pieces import Pieces
from .record_ids import is_well_formed
from .soql import Query, beside_others, one_of

IDS_IN_A_QUERY = 600
"""Ids that fit the address of one query: 21 characters each, under 16,384 together."""

_ROOT = 32
"""Characters of an address in front of the query."""

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


BulkFallback = Callable[[Query, int | None], Iterator[QueryPage] | None]
"""Takes the unread rest of a query and the number of rows of the whole, None for a query that timed out; returns the
pages of a job, or None where it is not worth one. Iterating over the pages raises JobGoneError where the job fails."""

FirstPage = Row | QueryTimeoutError
"""The first page of a query, or that it took Salesforce too long."""


def read_first(client: SalesforceClient, queries: Sequence[Query], purpose: str) -> list[FirstPage]:
    """Return the first page of up to five queries, in one call.

    A query of an object that has timed out before in this run is not sent, unless an index makes it quick.
    """
    answers: list[FirstPage | None] = [_known_slow(client, query) for query in queries]
    sent = [number for number, answer in enumerate(answers) if answer is None]
    subrequests = [query_subrequest(queries[n].soql(), deleted_too=queries[n].deleted_too) for n in sent]
    bodies = client.read_together(subrequests, purpose, "a query") if sent else []

    for number, body in zip(sent, bodies, strict=True):
        answers[number] = body
    return [answer for answer in answers if answer is not None]


def _known_slow(client: SalesforceClient, query: Query) -> QueryTimeoutError | None:
    if query.is_quick or query.object not in client.slow:
        return None
    return QueryTimeoutError(f"Queries of {query.object} take Salesforce too long.")


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
    client: SalesforceClient, query: Query, page: FirstPage, purpose: str, fallback: BulkFallback | None = None
) -> Iterator[QueryPage]:
    """Yield a query's pages from its first one on. When the cursor expires the query starts again behind the last row.

    The total in the first page decides whether ``fallback`` reads the rest; where that fails, pages are read after all.
    A short page need not be the last: Salesforce may send fewer rows than it could (salesforce.md, section 2.1).
    A query that timed out is read by ``fallback``, else in pieces; raises UnreachableError where even a small one does.
    """
    if isinstance(page, QueryTimeoutError):
        yield from _read_slow(client, query, page, purpose, fallback)
        return

    total, seen, rest = page["totalSize"], 0, query
    worth = fallback
    while True:
        rows = page["records"]
        seen += len(rows)

        if rows:
            rest = query.behind(rows[-1])

        yield QueryPage(rows, page["done"], total)
        if page["done"]:
            break

        if worth and (other := worth(rest, total)):
            try:
                yield from other
            except JobGoneError as error:
                _log.warning("%s is read page by page, a query job did not serve: %s", query.object, error.message)
            else:
                return

        worth = None
        try:
            page = client.more(page["nextRecordsUrl"], purpose)
        except LocatorError:
            (again,) = read_first(client, [rest], purpose)
            if isinstance(again, QueryTimeoutError):
                yield from _read_slow(client, rest, again, purpose, fallback)
                return
            page = again

    if seen < total:
        _log.warning("%s: %d of %d rows vanished while they were read", query.object, total - seen, total)


def _read_slow(
    client: SalesforceClient, query: Query, error: QueryTimeoutError, purpose: str, fallback: BulkFallback | None
) -> Iterator[QueryPage]:
    """Yield the pages of a query that Salesforce broke off: from a job, which may take hours, else piece by piece."""
    if not query.is_quick:
        client.slow.add(query.object)

    if fallback and (by_job := fallback(query, None)):
        _log.info("%s is read by a query job: %s", query.object, error.message)
        try:
            yield from by_job
        except JobGoneError as failed:
            _log.warning("%s is read in pieces, a query job did not serve: %s", query.object, failed.message)
        else:
            return

    pieces = Pieces(client, query, purpose)
    for piece, first, last in pieces.read():
        for page in follow(client, piece, first, purpose):
            yield replace(page, last=page.last and last)


def read_scope(
    client: SalesforceClient, object_name: str, condition: str, ids: Sequence[str], purpose: str
) -> set[str]:
    """Return which of the ids lie inside a condition.

    Salesforce itself judges each row, so that empty fields count as it sees fit; asking for ``NOT (condition)`` instead
    could miss rows whose fields are empty.
    """
    beside = beside_others(condition)
    queries = [
        Query(object_name, ("Id",), (one_of(batch), beside))
        for batch in in_batches(ids, _ids_that_fit(object_name, beside))
    ]
    return {row["Id"] for _, page in read_pages(client, queries, purpose) for row in page.rows}


def _ids_that_fit(object_name: str, condition: str) -> int:
    """Return how many ids a query with such a condition may name, so that its address is not too long."""

    def length(count: int) -> int:
        query = Query(object_name, ("Id",), (one_of(["0" * 18] * count), condition))
        return len(query_subrequest(query.soql()).path)

    one = length(1)
    return max(1, min(IDS_IN_A_QUERY, 1 + (MAX_URI - _ROOT - one) // (length(2) - one)))


def read_masters(client: SalesforceClient, object_name: str, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return deleted id -> id of the record that it was merged into, for those of the ids that were merged.

    One that no record can have is not asked for: Salesforce would refuse the whole query.
    """
    fields = ("Id", "IsDeleted", "MasterRecordId")
    possible = [each for each in ids if is_well_formed(each)]
    queries = [
        Query(object_name, fields, (one_of(batch),), deleted_too=True) for batch in in_batches(possible, IDS_IN_A_QUERY)
    ]

    rows = [row for _, page in read_pages(client, queries, "read") for row in page.rows]
    return {row["Id"]: row["MasterRecordId"] for row in rows if row["IsDeleted"] and row["MasterRecordId"]}
