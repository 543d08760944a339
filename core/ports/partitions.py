"""The contract by which a CRM's records are divided among workers: ranges that together leave no record out.

What a CRM may also be, as the core asks it: ``isinstance(crm, Splittable)``. One process takes the watermark and the
opt-outs by :meth:`~ringfence.core.ports.crm.CrmReader.open_feed`, divides an object, and hands its ranges out; others
read one range each. A range is text of the connector's own: it holds ids, and no phone number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from .crm import Page


class RangeFeed(Protocol):
    """The reads of one range of an object. What holds for the pages of a feed holds for its pages too."""

    def changed(self) -> Iterator[Page]:
        """Yield the records of the range, in or out of the filter, as a full read of the object gives them.

        The cursor of each page is the position in the range once its records are handled, and at the end of the range
        one from which nothing is left to read. A range gives at least one page.
        """
        ...

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield the range's records in the filter with a filled slot never screened, or last before ``before``.

        They come from the start of the range whatever the position was: a record that is handled is no longer due.
        """
        ...

    def finish(self) -> None:
        """Let go of what the CRM keeps for these reads, such as a query job. Called once all records are handled."""
        ...


@runtime_checkable
class Splittable(Protocol):
    """A CRM whose objects can be read in ranges beside each other. Every method is called after ``check()``."""

    def split(self, object_name: str, parts: int, *, least: int = 1) -> Sequence[str]:
        """Return up to ``parts`` ranges of about as many records each, at few calls; at least one.

        They are as many as keep about ``least`` records in each.
        Together they hold every record of the object exactly once, those included that are created later: the first
        range is open below and the last one above.
        """
        ...

    def count_due(self, object_name: str, before: datetime) -> int | None:
        """Return about how many records :meth:`~ringfence.core.ports.crm.Feed.due` would find; None: not known."""
        ...

    def open_range(self, object_name: str, range_: str, position: str | None = None) -> RangeFeed:
        """Return the reads of a range, which go on at a position of its pages, at its start for None.

        Raises StateError for a range or a position that this version cannot read.
        """
        ...


@runtime_checkable
class RangedFeed(Protocol):
    """What the feed of a CRM that is Splittable is too: it knows how far an object is read once its ranges are."""

    def cursor_behind(self, object_name: str) -> str:
        """Return the cursor of an object of which everything was read that was there at the feed's watermark.

        It is stored once each range of the object has been read by feeds opened after this one.
        """
        ...
