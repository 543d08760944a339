"""The echo of our own writes, which HubSpot shows as changes: read back by id once, and then left out of windows.

A search cannot tell who changed a record last. What tells our writes apart is when a slot was screened: nobody else
sets that. But it also holds for a record that somebody has edited since we wrote it. So each record we wrote is read
back once, by its id and so from the records themselves, not from the index. Whatever happened to it before is seen by
that; whatever happens later moves its modification time past the bound up to which windows leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from ringfence.core.model.values import Companion, Record
from ringfence.core.ports.crm import Page
from ringfence.core.ports.own_writes import OwnWrites

from ..http.batches import in_batches
from .client import BATCH, SEARCH_PAGE, HubSpotClient
from .cursor import OVERLAP_MS, Mode, Position
from .fields import ID, companions_of, from_ms, to_ms
from .filters import Group, modified_until, screened_groups, within_ids
from .paging import START, Searcher
from .source import ObjectSource

SMALL = 2 * SEARCH_PAGE
"""So few writes are read back by the windows themselves, two calls a run at most."""

MAX_MOVED = 500
"""Records changed since we wrote them up to which it is told whether the others are all ours."""

MAX_SLOTS = 3
"""Phone properties up to which windows can leave an echo out: with three it takes three searches."""


@dataclass(frozen=True, slots=True)
class EchoReader:
    """Reads back what we wrote to an object. ``opened_ms`` is when the run began to read, by our own clock."""

    client: HubSpotClient
    source: ObjectSource
    own_writes: OwnWrites
    opened_ms: int

    def begin(self, position: Position, now_ms: int) -> Position | None:
        """Return the position at the start of an echo; None where it would spare nothing.

        ``position`` is done, and ``now_ms`` is HubSpot's present time.
        """
        if len(self.source.rows.shape.slots) > MAX_SLOTS:
            return None

        # By our own clock: how far it differs from HubSpot's does not matter.
        window_ms = now_ms - (position.until - OVERLAP_MS)
        since = max(position.own_since, self.opened_ms - window_ms)
        if not self._is_worth(since):
            return None
        return position.model_copy(update={"mode": Mode.ECHO, "start": since, "own_since": self.opened_ms})

    def read(self, position: Position) -> Iterator[tuple[Page, Position]]:
        """Yield the pages of an echo, each with the position behind it, those written last first."""
        before = None if position.after == START else from_ms(int(position.after))
        for planned_at, ids in self._batches(position.start, before):
            records = self._fetch(ids)
            # The batch itself may go on behind this page: it is read again.
            reached = str(to_ms(planned_at) + 1)
            position = self._note(position, records).model_copy(update={"after": reached})
            yield Page(self.source.name, records, position.dump()), position

    def end(self, position: Position) -> Position:
        """Return the position once all of an echo is read: settled, unless somebody else writes verdicts too."""
        return position.settle() if position.bound and self._is_all_ours(position) else position.done()

    def _is_worth(self, since_ms: int) -> bool:
        """Return whether there is much to leave out of the windows of the next runs."""
        count = 0
        for planned_at, ids in self.own_writes(self.source.name, from_ms(since_ms)):
            if not count and to_ms(planned_at) < self.opened_ms - OVERLAP_MS:
                return False
            count += len(ids)
            if count > SMALL:
                return True
        return False

    def _batches(self, since_ms: int, before: datetime | None) -> Iterator[tuple[datetime, list[str]]]:
        """Yield the ids of our writes in lists that fill a call, each with the moment of the oldest write in it."""
        waiting: dict[str, None] = {}
        planned_at = from_ms(since_ms)
        for planned_at, ids in self.own_writes(self.source.name, from_ms(since_ms), before):
            waiting.update(dict.fromkeys(ids))
            while len(waiting) >= BATCH:
                full = list(islice(waiting, BATCH))
                waiting = dict.fromkeys(islice(waiting, BATCH, None))
                yield planned_at, full
        if waiting:
            yield planned_at, list(waiting)

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        answer = self.client.read_batch(self.source.name, ids, self.source.rows.properties)
        rows: dict[str, Mapping[str, Any]] = {str(row["id"]): row for row in answer["results"]}
        inside = self._searcher.among(list(rows), self.source.scope) if self.source.scope and rows else rows.keys()
        return [self.source.rows.read(row, in_scope=one in inside) for one, row in rows.items()]

    def _note(self, position: Position, records: Sequence[Record]) -> Position:
        """Return the position with the bound, and with how many of these records are settled by it.

        The bound is the newest modification in the first batch. Each record is read after that moment, by HubSpot's own
        clock, so that no edit up to the bound can come after the reading.
        """
        modified = [to_ms(record.modified) for record in records if record.modified]
        bound = position.bound or max(modified, default=0)
        found = sum(self._is_settled(record, position.start, bound) for record in records)
        later = [record.id for record in records if record.modified and to_ms(record.modified) > bound]
        moved = tuple(dict.fromkeys([*position.moved, *later]))[: MAX_MOVED + 1]
        return position.model_copy(update={"bound": bound, "found": position.found + found, "moved": moved})

    def _is_settled(self, record: Record, since_ms: int, bound: int) -> bool:
        if record.modified is None or to_ms(record.modified) > bound:
            return False
        stamps = [record.values.get(n) for n in companions_of(self.source.rows.shape, Companion.LAST_SCREENED)]
        return any(isinstance(stamp, datetime) and to_ms(stamp) >= since_ms for stamp in stamps)

    def _is_all_ours(self, position: Position) -> bool:
        """Return whether the index shows no more than what was read back, which it may show as it was before."""
        if len(position.moved) > MAX_MOVED:
            return False
        until = modified_until(self.source.name, position.bound)
        groups = [(*group, until) for group in screened_groups(self.source.rows.shape, position.start)]
        shown = sum(self._shown(ids, groups) for ids in in_batches(position.moved, BATCH))
        return self._searcher.count(groups) <= position.found + shown

    def _shown(self, ids: Sequence[str], groups: Sequence[Group]) -> int:
        """Return how many of the records the index still shows among those that the groups match."""
        return sum(1 for _ in self._searcher.rows([(*group, within_ids(ids)) for group in groups]))

    @property
    def _searcher(self) -> Searcher:
        return Searcher(self.client, self.source.name, (ID,))
