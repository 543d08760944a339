"""The reads of one run, over windows that Salesforce itself closes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from ringfence.core.ports import Page
from ringfence.core.values import Record

from . import bulk_read
from .bulk_read import BulkReader
from .client import HEAVY_SUBREQUESTS, Part, Row, SalesforceClient, query_part
from .cursor import OVERLAP, JobPlace, Position
from .errors import JobGoneError
from .fields import STAMP, RowReader, read_moment, write_moment
from .pages import Detour, Found, follow, read_pages, read_scope
from .query import (
    BY_STAMP,
    Query,
    after_id,
    after_stamp,
    due,
    flag_matters,
    flag_up,
    screened,
    since,
    standing,
    until,
)

WATERMARK_REACH = timedelta(minutes=2)
"""Width of the window that ``/updated`` is asked about; only its ``latestDateCovered`` is used."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """One object: how its rows are read, the mapping's SOQL condition, and where reading starts."""

    rows: RowReader
    scope: str | None
    position: Position

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.rows.shape.name

    def query(self, *conditions: str) -> Query:
        """Return a query for whole records."""
        return Query(self.name, self.rows.fields, (*standing(self.rows.shape), *conditions))

    def flagged(self) -> Query | None:
        """Return the query for opt-outs, or None where the mapping names no flag.

        It has no upper bound, so that it can share a call with the watermark; what is newer comes once more next time.
        """
        flag = self.rows.shape.opt_out
        if flag is None:
            return None
        if self.position.full:
            return self.query(flag_up(flag))
        return self.query(self.lower_bound(), flag_matters(self.rows.shape, flag))

    def lower_bound(self) -> str:
        """Return the condition that a window starts with."""
        position = self.position
        if position.since is None:
            raise ValueError("a window needs a start")
        if position.after is not None:
            return after_stamp(position.since, position.after)
        return since(position.since - OVERLAP)


class SalesforceFeed:
    """See :class:`ringfence.core.ports.Feed`.

    Takes the objects, the watermark of each, the first pages of flagged records that came with the watermarks, and the
    way to read what is large.
    """

    def __init__(
        self,
        client: SalesforceClient,
        sources: Sequence[Source],
        covered: Mapping[str, datetime],
        flagged: Mapping[str, Row],
        bulk: BulkReader,
    ) -> None:
        self._client = client
        self._sources = sources
        self._covered = covered
        self._flagged = dict(flagged)
        self._bulk = bulk

    def is_full(self, object_name: str) -> bool:
        """Return whether every record of the object is read."""
        return next(source.position.full for source in self._sources if source.name == object_name)

    def flagged(self) -> Iterator[Page]:
        """Yield records whose flag is up; among changed ones also those where it is down while a slot says so."""
        for source in self._sources:
            if (query := source.flagged()) is None:
                continue
            first = self._flagged.pop(source.name, None)
            if first is None:
                yield from self._read([source], [query], "opt_outs")
                continue
            for found in follow(self._client, query, first, "opt_outs", self._detour("opt_outs")):
                yield self._page(source, found, "opt_outs")
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
                yield from self._go_on(source, source.position.job)
            except JobGoneError as error:
                _log.info("%s is read from its last place: %s", source.name, error.message)
                begin.append(replace(source, position=replace(source.position, job=None, until=None)))
        yield from self._begin(begin)

    def _go_on(self, source: Source, job: JobPlace) -> Iterator[Page]:
        place = source.position
        for found in self._bulk.go_on(source.name, job, "read"):
            place = self._next_place(source, place, found)
            yield self._page(source, found, "read", place.dump())

    def _begin(self, sources: Sequence[Source]) -> Iterator[Page]:
        queries = [self._changed_query(source) for source in sources]
        place = [source.position for source in sources]
        for number, found in read_pages(self._client, queries, "read", self._detour("read")):
            source = sources[number]
            place[number] = self._next_place(source, place[number], found)
            yield self._page(source, found, "read", place[number].dump())

    def _detour(self, purpose: str) -> Detour:
        def detour(rest: Query, rows: int) -> Iterator[Found] | None:
            return self._bulk.read(rest, purpose) if rows > bulk_read.WORTH_FROM else None

        return detour

    def _changed_query(self, source: Source) -> Query:
        position = source.position
        if position.full:
            return source.query(*([after_id(position.after)] if position.after else []))
        window = (source.lower_bound(), until(self._covered[source.name]))
        return replace(source.query(*window), order=BY_STAMP)

    def _next_place(self, source: Source, place: Position, found: Found) -> Position:
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

    def _read(self, sources: Sequence[Source], queries: Sequence[Query], purpose: str) -> Iterator[Page]:
        for number, found in read_pages(self._client, queries, purpose, self._detour(purpose)):
            yield self._page(sources[number], found, purpose)

    def _page(self, source: Source, found: Found, purpose: str, cursor: str | None = None) -> Page:
        records = read_records(self._client, source.rows, source.scope, found.rows, purpose)
        return Page(source.name, records, cursor, total=found.total)


def read_records(
    client: SalesforceClient, reader: RowReader, scope: str | None, rows: Sequence[Row], purpose: str
) -> list[Record]:
    """Return rows as records; with a filter Salesforce is asked which of them lie in it, a call for each page."""
    if scope is None or not rows:
        return [reader.read(row, in_scope=True) for row in rows]
    inside = read_scope(client, reader.shape.name, scope, [row["Id"] for row in rows], purpose)
    return [reader.read(row, in_scope=row["Id"] in inside) for row in rows]


def open_feed(client: SalesforceClient, sources: Sequence[Source], now: datetime, bulk: BulkReader) -> SalesforceFeed:
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


def _ask(client: SalesforceClient, sources: Sequence[Source], end: datetime, bulk: BulkReader) -> SalesforceFeed:
    covered: dict[str, datetime] = {}
    flagged: dict[str, Row] = {}
    for start in range(0, len(sources), HEAVY_SUBREQUESTS):
        batch = sources[start : start + HEAVY_SUBREQUESTS]
        queries = [(source.name, query) for source in batch if (query := source.flagged()) is not None]
        parts = [_updated_part(source.name, end) for source in batch]
        parts += [query_part(query.soql()) for _, query in queries]
        bodies = client.read_together(parts, "opt_outs" if queries else "read", "what has changed")
        covered.update(
            (source.name, read_moment(body["latestDateCovered"])) for source, body in zip(batch, bodies, strict=False)
        )
        flagged.update((name, body) for (name, _), body in zip(queries, bodies[len(batch) :], strict=True))
    return SalesforceFeed(client, sources, covered, flagged, bulk)


def _updated_part(object_name: str, end: datetime) -> Part:
    start = quote(write_moment(end - WATERMARK_REACH))
    return Part("GET", f"sobjects/{object_name}/updated?start={start}&end={quote(write_moment(end))}")


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
