"""One range of the ids of an object, read beside others: what it holds, how far it is read, and its reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ringfence.core.errors import StateError
from ringfence.core.ports.crm import Page

from .client import SEARCH_PAGE, HubSpotClient
from .fields import ID
from .filters import Filter, due_groups
from .gone import GoneReader
from .paging import START, Searcher
from .scope import ScopeChecker, read_in_scope
from .source import ObjectSource

_OPEN_ABOVE = "9" * 16


class IdRange(BaseModel):
    """The ids from ``low`` to below ``high``; None: without an end there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: int | None
    high: int | None

    def holds(self, record_id: str) -> bool:
        """Return whether an id lies in the range."""
        return (self.low is None or int(record_id) >= self.low) and self.ends_behind(record_id)

    def ends_behind(self, record_id: str) -> bool:
        """Return whether the range goes on behind an id, or ends with it."""
        return self.high is None or int(record_id) < self.high

    @property
    def before(self) -> str:
        """Return the id in front of the range."""
        return START if self.low is None else str(self.low - 1)

    @property
    def filter(self) -> Filter:
        """Return the filter of a search for its records."""
        high = _OPEN_ABOVE if self.high is None else str(self.high - 1)
        return {"propertyName": ID, "operator": "BETWEEN", "value": str(self.low or 0), "highValue": high}


class RangePosition(BaseModel):
    """How far a range is read: ``after`` is the list's own token of the next page, None in front of the first one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: str | None = None
    done: bool = False


def open_range(client: HubSpotClient, source: ObjectSource, range_: str, position: str | None) -> HubSpotRange:
    """Return the reads of a range from a position on. Raises StateError for a text that is none."""
    try:
        place = RangePosition.model_validate_json(position) if position else RangePosition()
        return HubSpotRange(client, source, IdRange.model_validate_json(range_), place)
    except ValidationError as error:
        raise StateError("A stored part of a HubSpot sync cannot be read.", "Start the sync again.") from error


class HubSpotRange:
    """See :class:`ringfence.core.ports.partitions.RangeFeed`. Lists are in the order of ids: a range is a part."""

    def __init__(self, client: HubSpotClient, source: ObjectSource, bounds: IdRange, position: RangePosition) -> None:
        self._client = client
        self._source = source
        self._bounds = bounds
        self._position = position
        self._searcher = Searcher(client, source.name, source.rows.properties)

    def changed(self) -> Iterator[Page]:
        """Yield the records behind the position, each page after what was merged into its records and had opted out."""
        position = self._position
        if position.done:
            yield Page(self._source.name, [], position.model_dump_json())
            return

        # A token is the id that comes next, but for a list that would take it for the last one: so one in front.
        after = position.after or (None if self._bounds.low is None else self._bounds.before)
        total = self._searcher.count([(self._bounds.filter,)])
        scope = ScopeChecker(self._searcher, self._source.scope, last=_before(after))

        while not position.done:
            answer = self._client.list_page(self._source.name, self._source.rows.properties, after)
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            ended = not after or not all(map(self._ends_behind, answer["results"]))
            position = RangePosition(done=True) if ended else RangePosition(after=after)

            rows = [row for row in answer["results"] if self._bounds.holds(row["id"])]
            records = read_in_scope(self._source, rows, scope)
            yield from GoneReader(self._client, self._source).merged(records)
            yield Page(self._source.name, records, position.model_dump_json(), total=total)

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield the due records of the range, by a search that begins in front of it and is left at its end."""
        groups = due_groups(self._source.rows.shape, before, self._source.scope)
        found = self._searcher.rows(groups, self._bounds.before)
        inside = takewhile(self._ends_behind, found)
        while chunk := list(islice(inside, SEARCH_PAGE)):
            records = [self._source.rows.read(row, in_scope=True) for row in chunk]
            yield Page(self._source.name, records, authoritative=False)

    def finish(self) -> None:
        """Do nothing: HubSpot keeps nothing for a read."""

    def _ends_behind(self, row: Mapping[str, Any]) -> bool:
        return self._bounds.ends_behind(row["id"])


def _before(token: str | None) -> str:
    return str(max(0, int(token) - 1)) if token and token.isdecimal() else START
