"""The reads of one range of ids of a CRM in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from ringfence.core.errors import StateError
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page

from .feed import MemoryFeed

DONE = json.dumps({"done": True})
"""The position at the end of a range."""


def divide(ids: Sequence[str], parts: int) -> list[str]:
    """Return the ranges of the ids, which are in their order, as texts."""
    count = max(1, min(parts, len(ids)))
    bounds = [None, *(ids[len(ids) * number // count] for number in range(1, count)), None]
    return [json.dumps({"from": low, "to": high}) for low, high in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class MemoryRange:
    """See :class:`ringfence.core.ports.partitions.RangeFeed`; a range holds ids from ``low`` to below ``high``.

    ``feed`` reads every record of the object, and ``after`` is the last id that is handled.
    """

    feed: MemoryFeed
    object_name: str
    low: str | None
    high: str | None
    after: str = ""
    done: bool = False

    @classmethod
    def at(cls, feed: MemoryFeed, object_name: str, range_: str, position: str | None) -> MemoryRange:
        """Return the range of a text, from a position on. Raises StateError for a text that is none."""
        try:
            bounds, place = json.loads(range_), json.loads(position or "{}")
            return cls(
                feed, object_name, bounds["from"], bounds["to"], place.get("after", ""), place.get("done", False)
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError("A stored range cannot be read.", "Start the sync again.") from error

    def changed(self) -> Iterator[Page]:
        """Yield the records of the range beyond the position."""
        left = [] if self.done else [each for each in self._records() if each.id > self.after]
        pages = list(self.feed.pages(self.object_name, left)) or [self.feed.page(self.object_name, [])]
        for page in pages[:-1]:
            yield replace(page, cursor=json.dumps({"after": page.records[-1].id}))
        yield replace(pages[-1], cursor=DONE)

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield the due records of the range."""
        yield from self.feed.pages(self.object_name, [each for each in self._records() if self.feed.owes(each, before)])

    def finish(self) -> None:
        """Do nothing: nothing is kept for a read."""

    def _records(self) -> list[Record]:
        return [each for each in self.feed.every(self.object_name) if self._holds(each.id)]

    def _holds(self, record_id: str) -> bool:
        return (self.low is None or record_id >= self.low) and (self.high is None or record_id < self.high)
