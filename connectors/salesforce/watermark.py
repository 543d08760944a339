"""The watermark of each object, up to which Salesforce has all changes on record, in one call with opt-out queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from ringfence.core.errors import UnreachableError

from ..http.batches import in_batches
from .bulk.reader import BulkReader
from .client import SalesforceClient
from .composite import HEAVY_SUBREQUESTS, Subrequest, query_subrequest
from .errors import QueryTimeoutError
from .feed import SalesforceFeed
from .fields import read_moment, write_moment
from .gone_records import deleted_query
from .paging import FirstPage
from .soql import Query
from .source import ObjectSource

WATERMARK_REACH = timedelta(minutes=2)
"""Width of the window of the ``/updated`` request; only the answer's ``latestDateCovered`` is used."""

AT_ONCE = HEAVY_SUBREQUESTS // 2
"""Objects of one call: each may take two of its queries."""


def open_feed(
    client: SalesforceClient, sources: Sequence[ObjectSource], now: datetime, bulk: BulkReader
) -> SalesforceFeed:
    """Take the watermark of each object, together with the first pages of flagged records, and return the reads.

    ``now`` is the time at Salesforce in UTC; where the answer shows that it is minutes old, the watermarks are read
    once more. ``bulk`` reads what is large.
    """
    end = _minute(now)
    feed = _read_watermarks(client, sources, end, bulk)
    seen = client.server_now()

    if seen is not None and _minute(seen) - end >= WATERMARK_REACH:
        feed = _read_watermarks(client, sources, _minute(seen), bulk)

    return feed


def _read_watermarks(
    client: SalesforceClient, sources: Sequence[ObjectSource], end: datetime, bulk: BulkReader
) -> SalesforceFeed:
    watermarks: dict[str, datetime] = {}
    first_pages: dict[Query, FirstPage] = {}

    for batch in in_batches(sources, AT_ONCE):
        possible = [query for source in batch for query in (source.flagged(), deleted_query(source))]
        queries = [query for query in possible if query is not None]
        subrequests = [_updated_subrequest(source.name, end) for source in batch]
        subrequests += [query_subrequest(query.soql(), deleted_too=query.deleted_too) for query in queries]
        bodies = client.read_together(subrequests, "opt_outs" if queries else "read", "what has changed")
        for source, body in zip(batch, bodies, strict=False):
            watermarks[source.name] = _read_watermark(client, source.name, end, body)
        first_pages.update(zip(queries, bodies[len(batch) :], strict=True))

    return SalesforceFeed(client, sources, watermarks, first_pages, bulk)


def _read_watermark(
    client: SalesforceClient, object_name: str, end: datetime, body: Mapping[str, str] | QueryTimeoutError
) -> datetime:
    if isinstance(body, QueryTimeoutError):
        (body,) = client.read_together([_updated_subrequest(object_name, end)], "read", "what has changed")
    if isinstance(body, QueryTimeoutError):
        raise UnreachableError(body.message, "Run again later: it goes on from here.")
    return read_moment(body["latestDateCovered"])


def _updated_subrequest(object_name: str, end: datetime) -> Subrequest:
    start = quote(write_moment(end - WATERMARK_REACH))
    return Subrequest("GET", f"sobjects/{object_name}/updated?start={start}&end={quote(write_moment(end))}")


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
