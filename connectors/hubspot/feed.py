"""The reads of one run: its cursors stop at the watermark that was taken from HubSpot's clock, its searches do not."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion, Record
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Page
from ringfence.core.ports.own_writes import OwnWrites

from .client import HubSpotClient
from .cursor import OVERLAP_MS, Mode, Position
from .echo import EchoReader
from .fields import companions_of, to_ms
from .filters import Group, due_groups, flag_groups, modified_since, screened_groups
from .gone import GoneReader
from .paging import START, Searcher
from .scope import ScopeChecker, read_in_scope
from .source import ObjectSource
from .windows import changed_groups, opt_out_groups

SMALL_BIN = 1
"""Pages of a recycle bin that is read in every run."""

BIN_EVERY_MS = 24 * 3_600_000
"""How often a larger recycle bin is read, in milliseconds: it has no order by time, so it is read whole."""


@dataclass(frozen=True, slots=True)
class Opening:
    """When a feed was opened, in milliseconds since 1970: the watermark, by HubSpot's clock, and our own time."""

    watermark_ms: int
    local_ms: int


class HubSpotFeed:
    """See :class:`ringfence.core.ports.crm.Feed`.

    Takes the objects, the position of each, when it was opened, and what tells of our own writes. Values of searches
    come from an index that may lag, so their pages are not authoritative; those of full reads and of an echo are.
    """

    def __init__(
        self,
        client: HubSpotClient,
        sources: Sequence[ObjectSource],
        positions: Mapping[str, Position],
        opening: Opening,
        own_writes: OwnWrites,
    ) -> None:
        self._client = client
        self._sources = sources
        self._positions = dict(positions)
        self._now_ms = opening.watermark_ms
        self._local_ms = opening.local_ms
        self._own_writes = own_writes

    def is_full(self, object_name: str) -> bool:
        """Return whether every record of the object is read."""
        return self._positions[object_name].mode is Mode.FULL

    def flagged(self) -> Iterator[Page]:
        """Yield records whose flag is up, among changed ones also those whose status alone is ``do_not_contact``."""
        for source in self._sources:
            position, shape = self._positions[source.name], source.rows.shape
            if position.mode is Mode.FULL:
                groups = flag_groups(shape, source.rows.kinds)
            else:
                start = position.start if position.mode is Mode.WINDOW else position.until - OVERLAP_MS
                groups = opt_out_groups(shape, start, position.settled, source.rows.kinds)
            for page in self._unordered(source, groups, "opt_outs"):
                yield replace(page, records=[each for each in page.records if _matters(each, shape)])
            yield from self._archived(source, position)

    def flagged_meanwhile(self) -> Iterator[Page]:
        """Yield records of full reads whose flag is up and that changed since the watermark."""
        for source in self._sources:
            if self.is_full(source.name):
                # The watermark is the last millisecond of its second: a flag may have gone up within that second.
                later = modified_since(source.name, self._now_ms - 999)
                groups = [(*flag, later) for flag in flag_groups(source.rows.shape, source.rows.kinds)]
                yield from self._unordered(source, groups, "opt_outs")

    def screened(self, since: datetime) -> Iterator[Page]:
        """Yield records with a slot screened at or after the moment."""
        for source in self._sources:
            yield from self._unordered(source, screened_groups(source.rows.shape, to_ms(since)), "opt_outs")

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield records in the filter with a filled slot that was never screened, or last before the moment."""
        for source in self._sources:
            if not self.is_full(source.name):
                groups = due_groups(source.rows.shape, before, source.scope)
                yield from self._unordered(source, groups, "read", scoped=True)

    def changed(self) -> Iterator[Page]:
        """Yield what changed since the cursors; everything of an object without one.

        What an earlier run left unfinished is finished first. Then our own writes are read back, and then the window
        since this run's watermark follows.
        """
        for source in self._sources:
            position = self._positions[source.name]
            if position.mode is Mode.FULL:
                yield from self._list(source, position)
                if position.until >= self._now_ms:
                    continue
                position = position.done()
            elif position.mode is Mode.WINDOW:
                yield from self._window(source, position)
                position = position.done()

            position = yield from self._echo(source, position)
            yield from self._window(source, position.next_window(self._now_ms))

    def cursor_behind(self, object_name: str) -> str:
        """Return the cursor of an object once everything is read that was there at the watermark."""
        return self._positions[object_name].done().model_copy(update={"until": self._now_ms}).dump()

    def _echo(self, source: ObjectSource, position: Position) -> Generator[Page, None, Position]:
        """Yield our own writes where they are many; return the position once they are read back."""
        reader = EchoReader(self._client, source, self._own_writes, self._local_ms)
        reached = position if position.mode is Mode.ECHO else reader.begin(position, self._now_ms)
        if reached is None:
            return position

        for page, behind in reader.read(reached):
            reached = behind
            yield from self._with_merged(source, page)
        return reader.end(reached)

    def _list(self, source: ObjectSource, position: Position) -> Iterator[Page]:
        searcher = self._searcher(source)
        total = searcher.count([])
        after = None if position.after == START else position.after
        scope = ScopeChecker(searcher, source.scope, last=_before(position.after))

        while True:
            answer = self._client.list_page(source.name, source.rows.properties, after)
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            reached = position.model_copy(update={"after": after}) if after else position.done()
            page = Page(source.name, read_in_scope(source, answer["results"], scope), reached.dump(), total=total)
            yield from self._with_merged(source, page)
            if not after:
                return

    def _window(self, source: ObjectSource, position: Position) -> Iterator[Page]:
        searcher = self._searcher(source)
        groups = changed_groups(source.rows.shape, position.start, position.settled)
        scope = ScopeChecker(searcher, source.scope, groups, position.after)
        total = None

        for page in searcher.pages(groups, position.after):
            total = page.total if total is None else total
            reached = position.done()
            if page.more:
                last_id = str(page.rows[-1]["id"]) if page.rows else position.after
                reached = position = position.model_copy(update={"after": last_id})

            records = read_in_scope(source, page.rows, scope)
            found = Page(source.name, records, reached.dump(), authoritative=False, total=total)
            yield from self._with_merged(source, found)

    def _with_merged(self, source: ObjectSource, page: Page) -> Iterator[Page]:
        """Yield the opt-outs of records that were merged into those of a page, and then the page."""
        yield from GoneReader(self._client, source).merged(page.records)
        yield page

    def _archived(self, source: ObjectSource, position: Position) -> Iterator[Page]:
        """Yield the flagged records in the recycle bin; a large bin is read once a day, and in every full read."""
        if not source.rows.shape.heard:
            return
        recent = position.bin_read > self._now_ms - BIN_EVERY_MS
        if position.bin_large and recent and position.mode is not Mode.FULL:
            return

        pages = 0
        for records in GoneReader(self._client, source).archived():
            pages += 1
            if flagged := [record for record in records if source.rows.shape.opts_out(record)]:
                yield Page(source.name, flagged, gone=True)
        self._positions[source.name] = position.model_copy(
            update={"bin_read": self._now_ms, "bin_large": pages > SMALL_BIN}
        )

    def _unordered(
        self, source: ObjectSource, groups: Sequence[Group], purpose: str, *, scoped: bool = False
    ) -> Iterator[Page]:
        if not groups:
            return
        searcher = self._searcher(source, purpose)
        scope = ScopeChecker(searcher, () if scoped else source.scope, groups)
        for rows in searcher.chunks(groups):
            yield Page(source.name, read_in_scope(source, rows, scope), authoritative=False)

    def _searcher(self, source: ObjectSource, purpose: str = "read") -> Searcher:
        return Searcher(self._client, source.name, source.rows.properties, purpose)


def _matters(record: Record, shape: ObjectShape) -> bool:
    """Return whether the record's flag is up, or may have been lowered."""
    statuses = [record.values.get(name) for name in companions_of(shape, Companion.STATUS)]
    return shape.opts_out(record) or Status.DO_NOT_CONTACT in statuses


def _before(token: str) -> str:
    # A list's token is near an id: the last one read, or the next one to read.
    return str(max(0, int(token) - 1)) if token.isdecimal() else START
