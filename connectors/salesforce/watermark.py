"""How far Salesforce says that a run may read: asked for each object, in one call with what else can share it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from ..http.batches import in_batches
from .bulk.reader import BulkReader
from .client import HEAVY_SUBREQUESTS, Part, Row, SalesforceClient, query_part
from .feed import SalesforceFeed
from .fields import read_moment, write_moment
from .merged_records import merged_query
from .soql import Query
from .source import ObjectSource

WATERMARK_REACH = timedelta(minutes=2)
"""Width of the window that ``/updated`` is asked about; only its ``latestDateCovered`` is used."""

AT_ONCE = HEAVY_SUBREQUESTS // 2
"""Objects of one call: each may take two of its queries."""


def open_feed(
    client: SalesforceClient, sources: Sequence[ObjectSource], now: datetime, bulk: BulkReader
) -> SalesforceFeed:
    """Take the watermark of each object, together with the first pages of flagged records, and return the reads.

    ``now`` is the time at Salesforce; when its answer shows that it was long past, the question is asked again.
    ``bulk`` reads what is large.
    """
    end = _minute(now)
    feed = _ask(client, sources, end, bulk)
    seen = client.server_now()

    if seen is not None and _minute(seen) - end >= WATERMARK_REACH:
        feed = _ask(client, sources, _minute(seen), bulk)

    return feed


def _ask(client: SalesforceClient, sources: Sequence[ObjectSource], end: datetime, bulk: BulkReader) -> SalesforceFeed:
    covered: dict[str, datetime] = {}
    firsts: dict[Query, Row] = {}

    for batch in in_batches(sources, AT_ONCE):
        asked = [query for source in batch for query in (source.flagged(), merged_query(source)) if query is not None]
        parts = [_updated_part(source.name, end) for source in batch]
        parts += [query_part(query.soql(), deleted_too=query.deleted_too) for query in asked]
        bodies = client.read_together(parts, "opt_outs" if asked else "read", "what has changed")
        covered.update(
            (source.name, read_moment(body["latestDateCovered"])) for source, body in zip(batch, bodies, strict=False)
        )
        firsts.update(zip(asked, bodies[len(batch) :], strict=True))

    return SalesforceFeed(client, sources, covered, firsts, bulk)


def _updated_part(object_name: str, end: datetime) -> Part:
    start = quote(write_moment(end - WATERMARK_REACH))
    return Part("GET", f"sobjects/{object_name}/updated?start={start}&end={quote(write_moment(end))}")


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
