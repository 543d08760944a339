"""The reads of one run, over windows that Salesforce itself closes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page

from .bulk import reader as bulk_read
from .bulk.reader import BulkReader
from .client import Row, SalesforceClient
from .cursor import OVERLAP, JobPosition, Position
from .errors import JobGoneError
from .fields import CONVERTED, STAMP, RowReader, is_lead, read_moment
from .merged_records import merged_query, read_merged
from .paging import BulkFallback, QueryPage, follow, read_pages, read_scope
from .soql import BY_STAMP, Query, after_id, due, screened, until
from .source import ObjectSource

_log = logging.getLogger(__name__)


class SalesforceFeed:
    """See :class:`ringfence.core.ports.crm.Feed`.

    Takes the objects, the watermark of each, the first pages of the queries for opt-outs, which came with the
    watermarks, and the way to read what is large.
    """

    def __init__(
        self,
        client: SalesforceClient,
        sources: Sequence[ObjectSource],
        covered: Mapping[str, datetime],
        firsts: Mapping[Query, Row],
        bulk: BulkReader,
    ) -> None:
        self._client = client
        self._sources = sources
        self._covered = covered
        self._firsts = dict(firsts)
        self._bulk = bulk

    def is_full(self, object_name: str) -> bool:
        """Return whether every record of the object is read."""
        return next(source.position.full for source in self._sources if source.name == object_name)

    def flagged(self) -> Iterator[Page]:
        """Yield records whose flag is up; among changed ones also those where it is down while a slot says so.

        Then records that were merged away with their flag up: the opt-out of a survivor is that of all it was made of.
        """
        for source in self._sources:
            if (query := source.flagged()) is None:
                continue
            first = self._firsts.pop(query, None)
            if first is None:
                yield from self._read([source], [query], "opt_outs")
                continue
            for found in follow(self._client, query, first, "opt_outs", self._bulk_fallback("opt_outs")):
                yield self._page(source, found, "opt_outs")

        for source in self._sources:
            if (query := merged_query(source)) is not None:
                yield from read_merged(self._client, source, query, self._firsts.pop(query, None))

        self._bulk.clear()

    def screened(self, since: datetime) -> Iterator[Page]:
        """Yield records with a slot screened at or after the moment."""
        queries = [source.query(screened(source.rows.shape, since)) for source in self._sources]
        yield from self._read(self._sources, queries, "opt_outs")
        self._bulk.clear()

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield records in the filter with a filled slot that was never screened, or last before the moment."""
        # What came from these jobs has been handled, so that no cursor leads to one of them any more.
        self._bulk.clear()
        sources = [replace(source, scope=None) for source in self._sources if not source.position.full]
        scopes = {source.name: (f"({source.scope})",) for source in self._sources if source.scope}
        queries = [source.query(due(source.rows.shape, before), *scopes.get(source.name, ())) for source in sources]
        yield from self._read(sources, queries, "read")
        self._bulk.clear()

    def changed(self) -> Iterator[Page]:
        """Yield what changed since the cursors; everything of an object without one."""
        begin = []
        for source in self._sources:
            if source.position.job is None:
                begin.append(source)
                continue
            try:
                yield from self._resume(source, source.position.job)
            except JobGoneError as error:
                _log.info("%s is read from its last place: %s", source.name, error.message)
                begin.append(replace(source, position=replace(source.position, job=None, until=None)))

        yield from self._begin(begin)

    def _resume(self, source: ObjectSource, job: JobPosition) -> Iterator[Page]:
        place = source.position
        for found in self._bulk.resume(source.query(), job, "read"):
            place = self._next_place(source, place, found)
            # The rows are those of the moment when the job was made: since then people, and the run that died, wrote.
            page = self._page(source, found, "read", place.dump())
            yield replace(page, records=self._with_flags_of_now(source, page.records), authoritative=False)

    def _with_flags_of_now(self, source: ObjectSource, records: Sequence[Record]) -> list[Record]:
        """Return the records, those whose flag is up as they are now: a raised flag is believed wherever it is read."""
        shape = source.rows.shape
        raised = [record.id for record in records if shape.is_flagged(record)]
        if not raised:
            return list(records)

        fields = (*source.rows.fields, *((CONVERTED,) if is_lead(shape) else ()))
        rows = self._client.retrieve(shape.name, raised, fields, "read")
        # What was deleted or converted since is left out, as it is of a read that begins now; what was merged away is
        # for flagged() to tell about.
        now = {row["Id"]: row for row in rows if row is not None and not row.get(CONVERTED)}
        stale = set(raised)
        return [
            source.rows.read(now[record.id], in_scope=record.in_scope) if record.id in stale else record
            for record in records
            if record.id in now or record.id not in stale
        ]

    def _begin(self, sources: Sequence[ObjectSource]) -> Iterator[Page]:
        queries = [self._changed_query(source) for source in sources]
        place = [source.position for source in sources]
        for number, found in read_pages(self._client, queries, "read", self._bulk_fallback("read")):
            source = sources[number]
            place[number] = self._next_place(source, place[number], found)
            yield self._page(source, found, "read", place[number].dump())

    def _bulk_fallback(self, purpose: str) -> BulkFallback:
        def detour(query: Query, rows: int) -> Iterator[QueryPage] | None:
            return self._bulk.read(query, rows, purpose) if rows > bulk_read.WORTH_FROM else None

        return detour

    def _changed_query(self, source: ObjectSource) -> Query:
        position = source.position
        if position.full:
            return source.query(*([after_id(position.after)] if position.after else []))
        window = (source.lower_bound(), until(self._covered[source.name]))
        return replace(source.query(*window), order=BY_STAMP)

    def _next_place(self, source: ObjectSource, place: Position, found: QueryPage) -> Position:
        covered = source.position.until or self._covered[source.name]
        started = source.position.since
        watermark = started or covered
        if found.last:
            # A long transaction holds the watermark back, at times behind an earlier one; what was read stays read.
            return Position(full=False, since=watermark if source.position.full else max(covered, watermark))
        if found.job is not None:
            return replace(place, since=place.since or watermark, job=found.job, until=covered)
        if source.position.full:
            last = found.rows[-1]["Id"] if found.rows else place.after
            return Position(full=True, since=watermark, after=last)
        if found.rows and (moment := read_moment(found.rows[-1][STAMP])) < covered - OVERLAP:
            return Position(full=False, since=moment, after=found.rows[-1]["Id"])
        return replace(place, job=None, until=None)

    def _read(self, sources: Sequence[ObjectSource], queries: Sequence[Query], purpose: str) -> Iterator[Page]:
        for number, found in read_pages(self._client, queries, purpose, self._bulk_fallback(purpose)):
            yield self._page(sources[number], found, purpose)

    def _page(self, source: ObjectSource, found: QueryPage, purpose: str, cursor: str | None = None) -> Page:
        if found.job is None:
            records = read_records(self._client, source.rows, source.scope, found.rows, purpose)
        else:
            inside = _inside(self._client, source.name, source.scope, found.rows, purpose)
            records = source.rows.take(found.rows, inside)
        return Page(source.name, records, cursor, total=found.total)


def read_records(
    client: SalesforceClient, reader: RowReader, scope: str | None, rows: Sequence[Row], purpose: str
) -> list[Record]:
    """Return rows as records; with a filter Salesforce is asked which of them lie in it, a call for each page."""
    inside = _inside(client, reader.shape.name, scope, rows, purpose)
    return [reader.read(row, in_scope=inside is None or row["Id"] in inside) for row in rows]


def _inside(
    client: SalesforceClient, object_name: str, scope: str | None, rows: Sequence[Row], purpose: str
) -> set[str] | None:
    """Return the ids of the rows that lie in the filter, None where there is none."""
    if scope is None:
        return None
    return read_scope(client, object_name, scope, [row["Id"] for row in rows], purpose) if rows else set()
