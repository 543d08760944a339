"""One range of the ids of an object, read beside others: what it holds, how far it is read, and its reads."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ringfence.core.errors import StateError
from ringfence.core.ports.crm import Page

from .bulk.reader import BulkReader
from .client import SalesforceClient
from .cursor import JobPosition
from .errors import JobGoneError
from .paging import QueryPage, read_pages
from .record_pages import RecordPages
from .soql import Query, after_id, literal
from .source import ObjectSource

_VERSION = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids from ``low`` to below ``high``; None: without an end there."""

    low: str | None
    high: str | None

    def dump(self) -> str:
        """Return the range as text."""
        return json.dumps({"v": _VERSION, "from": self.low, "to": self.high})

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return the condition of a query for its records; none for all of them."""
        low = [] if self.low is None else [f"Id >= {literal(self.low)}"]
        high = [] if self.high is None else [f"Id < {literal(self.high)}"]
        # As one condition in brackets it is known to be quick, and to bound the pieces of a query that is not.
        return (f"({' AND '.join(low + high)})",) if low or high else ()


@dataclass(frozen=True, slots=True)
class RangePosition:
    """How far a range is read: behind the id ``after``, with a ``job`` the rest is among its results."""

    after: str | None = None
    job: JobPosition | None = None
    done: bool = False

    def dump(self) -> str:
        """Return the position as text."""
        job = [self.job.id, self.job.locator, self.job.rows] if self.job else None
        return json.dumps({"v": _VERSION, "after": self.after, "job": job, "done": self.done})

    def behind(self, page: QueryPage) -> RangePosition:
        """Return the position once a page is handled."""
        if page.last:
            return RangePosition(done=True)
        if page.job is not None:
            return replace(self, job=page.job)
        return RangePosition(page.rows[-1]["Id"] if page.rows else self.after)


def open_range(
    client: SalesforceClient, source: ObjectSource, bulk: BulkReader, range_: str, position: str | None
) -> SalesforceRange:
    """Return the reads of a range from a position on. Raises StateError for a text that is none."""
    try:
        bounds = _read(range_)
        place = _read_position(position) if position else RangePosition()
        return SalesforceRange(client, source, bulk, IdRange(bounds["from"], bounds["to"]), place)
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            "A stored part of a Salesforce sync cannot be read by this version.", "Start the sync again."
        ) from error


def _read_position(text: str) -> RangePosition:
    content = _read(text)
    job = JobPosition(*content["job"]) if content["job"] else None
    return RangePosition(content["after"], job, bool(content["done"]))


def _read(text: str) -> Any:
    content = json.loads(text)
    if content["v"] != _VERSION:
        raise ValueError(content["v"])
    return content


class SalesforceRange:
    """See :class:`ringfence.core.ports.partitions.RangeFeed`."""

    def __init__(
        self,
        client: SalesforceClient,
        source: ObjectSource,
        bulk: BulkReader,
        bounds: IdRange,
        position: RangePosition,
    ) -> None:
        self._client = client
        self._source = source
        self._bulk = bulk
        self._bounds = bounds
        self._position = position
        self._pages = RecordPages(client, bulk)

    def changed(self) -> Iterator[Page]:
        """Yield the records behind the position; a job that a worker left is resumed, as a feed does it."""
        if self._position.done:
            yield Page(self._source.name, [], self._position.dump())
            return

        if self._position.job is not None:
            try:
                yield from self._resume(self._position.job)
            except JobGoneError as error:
                _log.info("a part of %s is read from its last place: %s", self._source.name, error.message)
            else:
                return
        yield from self._read_on(replace(self._position, job=None))

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield the due records of the range."""
        inside = replace(self._source, scope=None)
        for _, page in self._query_pages(self._source.due(before)):
            found = self._pages.page(inside, page, "read")
            yield replace(found, records=self._source.keep_due(found.records, before))

    def finish(self) -> None:
        """Delete the jobs that have been read to their end."""
        self._bulk.delete_finished_jobs()

    def _resume(self, job: JobPosition) -> Iterator[Page]:
        position = self._position
        for page, found in self._pages.resumed(self._source, job):
            position = position.behind(page)
            yield replace(found, cursor=position.dump())

    def _read_on(self, position: RangePosition) -> Iterator[Page]:
        behind = (after_id(position.after),) if position.after else ()
        for _, page in self._query_pages(self._source.query(*behind)):
            position = position.behind(page)
            yield self._pages.page(self._source, page, "read", position.dump())

    def _query_pages(self, query: Query) -> Iterator[tuple[int, QueryPage]]:
        bounded = query.narrowed(*self._bounds.conditions)
        return read_pages(self._client, [bounded], "read", self._pages.fallback("read"))
