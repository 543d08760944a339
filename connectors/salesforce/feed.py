"""The reads of one run; how far their cursors move is bounded by watermarks that Salesforce itself gives."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ringfence.core.model.values import Companion
from ringfence.core.ports.crm import Page

from .bulk.reader import BulkReader
from .client import SalesforceClient
from .cursor import OVERLAP, JobPosition, Position
from .errors import JobGoneError
from .fields import STAMP, companions_of, is_lead, read_moment
from .gone_records import CONTACT, deleted_query, read_converted, read_deleted
from .individual_reads import read_individuals
from .paging import FirstPage, QueryPage, follow, read_first, read_pages
from .record_pages import RecordPages
from .soql import Query, screened
from .source import ObjectSource

_log = logging.getLogger(__name__)


class SalesforceFeed:
    """See :class:`ringfence.core.ports.crm.Feed`.

    Takes the objects, the watermark of each by name, the first pages of the queries for opt-outs, which came with the
    watermarks, and the reader for what is large.
    """

    def __init__(
        self,
        client: SalesforceClient,
        sources: Sequence[ObjectSource],
        watermarks: Mapping[str, datetime],
        first_pages: Mapping[Query, FirstPage],
        bulk: BulkReader,
    ) -> None:
        self._client = client
        self._sources = sources
        self._watermarks = watermarks
        self._first_pages = dict(first_pages)
        self._bulk = bulk
        self._pages = RecordPages(client, bulk)

    def is_full(self, object_name: str) -> bool:
        """Return whether every record of the object is read."""
        return next(source.position.full for source in self._sources if source.name == object_name)

    def flagged(self) -> Iterator[Page]:
        """Yield records whose flag is up, among changed ones also those whose status alone is ``do_not_contact``.

        Then records that were deleted or merged away with their flag up: the opt-out of a survivor is that of all it
        was made of.
        """
        for source in self._sources:
            if (query := source.flagged()) is None:
                continue

            first = self._first_pages.pop(query, None)
            if first is None:
                (first,) = read_first(self._client, [query], "opt_outs")
            for page in follow(self._client, query, first, "opt_outs", self._pages.fallback("opt_outs")):
                yield from self._opt_outs(source, page)

        yield from read_individuals(self._client, self._sources, self._pages)

        for source in self._sources:
            if (query := deleted_query(source)) is not None:
                first = self._first_pages.pop(query, None)
                yield from read_deleted(self._client, source, query, first, self._pages.fallback("opt_outs"))

        self._bulk.delete_finished_jobs()

    def flagged_meanwhile(self) -> Iterator[Page]:
        """Yield records of full reads whose flag is up and that changed since the watermark."""
        asked = [
            (source, query)
            for source in self._sources
            if source.position.full and (query := source.flagged_since(self._watermarks[source.name])) is not None
        ]
        queries = [query for _, query in asked]
        for number, page in read_pages(self._client, queries, "opt_outs", self._pages.fallback("opt_outs")):
            yield from self._opt_outs(asked[number][0], page)

    def _opt_outs(self, source: ObjectSource, page: QueryPage) -> Iterator[Page]:
        """Yield the pages of one page of rows that tell of opt-outs; those that nobody writes come on their own."""
        rows, others = page.rows, []
        if (left := source.rows.left) is not None:
            others = [row for row in rows if row[left]]
            # The rows of a job become the values of their records, so they may hold nothing else.
            rows = [{name: row[name] for name in source.rows.fields} for row in rows if not row[left]]

        found = self._pages.page(source, replace(page, rows=rows), "opt_outs")
        yield replace(found, records=[record for record in found.records if source.matters(record)])

        if others:
            found_contacts = (each for each in self._sources if each.name == CONTACT)
            contacts = next(found_contacts, None) if is_lead(source.rows.shape) else None
            yield from read_converted(self._client, source, contacts, others)

    def screened(self, since: datetime) -> Iterator[Page]:
        """Yield records with a slot screened at or after the moment."""
        sources = [each for each in self._sources if companions_of(each.rows.shape, Companion.LAST_SCREENED)]
        queries = [source.query(screened(source.rows.shape, since)) for source in sources]
        yield from self._read(sources, queries, "opt_outs")
        self._bulk.delete_finished_jobs()

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield records in the filter with a filled slot that was never screened, or last before the moment."""
        # The rows of jobs that changed() has read are handled by now, so no cursor leads to one of them any more.
        self._bulk.delete_finished_jobs()

        sources = [source for source in self._sources if not source.position.full]
        queries = [source.due(before) for source in sources]
        inside = [replace(source, scope=None) for source in sources]

        for page in self._read(inside, queries, "read"):
            source = next(each for each in sources if each.name == page.object)
            yield replace(page, records=source.keep_due(page.records, before))
        self._bulk.delete_finished_jobs()

    def changed(self) -> Iterator[Page]:
        """Yield what changed since the cursors; everything of an object without one.

        A job that an earlier run left is resumed first; what it can no longer give is read from the last position.
        """
        from_position = []
        for source in self._sources:
            if source.position.job is None:
                from_position.append(source)
                continue

            try:
                yield from self._resume_job(source, source.position.job)
            except JobGoneError as error:
                _log.info("%s is read from its last place: %s", source.name, error.message)
                from_position.append(replace(source, position=replace(source.position, job=None, until=None)))

        yield from self._read_changed(from_position)

    def _resume_job(self, source: ObjectSource, job: JobPosition) -> Iterator[Page]:
        position = source.position
        for page, found in self._pages.resumed(source, job):
            position = self._next_position(source, position, page)
            yield replace(found, cursor=position.dump())

    def _read_changed(self, sources: Sequence[ObjectSource]) -> Iterator[Page]:
        queries = [source.changed() for source in sources]
        positions = [source.position for source in sources]

        for number, page in read_pages(self._client, queries, "read", self._pages.fallback("read")):
            source = sources[number]
            positions[number] = self._next_position(source, positions[number], page)
            yield self._pages.page(source, page, "read", positions[number].dump())

    def cursor_behind(self, object_name: str) -> str:
        """Return the cursor of an object once everything is read that was there at its watermark."""
        told = any(source.name == object_name and source.individuals for source in self._sources)
        return Position(full=False, since=self._watermarks[object_name], individuals=told).dump()

    def _next_position(self, source: ObjectSource, position: Position, page: QueryPage) -> Position:
        """Return the position once the page is handled; what Individuals say was read before the first of them."""
        return replace(self._move_on(source, position, page), individuals=source.individuals is not None)

    def _move_on(self, source: ObjectSource, position: Position, page: QueryPage) -> Position:
        """Return the position once the page is handled; ``position`` is the one before it."""
        until = source.position.until or self._watermarks[source.name]
        watermark = source.position.since or until

        if page.last:
            # A long transaction holds the watermark back, at times behind an earlier one; what was read stays read.
            return Position(full=False, since=watermark if source.position.full else max(until, watermark))

        if page.job is not None:
            return replace(position, since=position.since or watermark, job=page.job, until=until)

        if source.position.full:
            last_id = page.rows[-1]["Id"] if page.rows else position.after
            return Position(full=True, since=watermark, after=last_id)

        if page.rows and (moment := read_moment(page.rows[-1][STAMP])) < until - OVERLAP:
            return Position(full=False, since=moment, after=page.rows[-1]["Id"])

        return replace(position, job=None, until=None)

    def _read(self, sources: Sequence[ObjectSource], queries: Sequence[Query], purpose: str) -> Iterator[Page]:
        for number, page in read_pages(self._client, queries, purpose, self._pages.fallback(purpose)):
            yield self._pages.page(sources[number], page, purpose)
