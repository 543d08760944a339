"""Keyset paging: reading a search of any size to its end by id, because HubSpot pages no search past 10,000 rows.

Ids never change, so the order is stable while records are edited, and any number of rows may share a timestamp.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from ..http.batches import in_batches
from .client import BATCH, SEARCH_PAGE, HubSpotClient
from .fields import ID
from .filters import MAX_BODY, Group, after_id, pack_groups, within_ids

Row = Mapping[str, Any]

START = "0"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Rows in the order of their ids, the number of rows from this page on, and whether another page follows."""

    rows: Sequence[Row]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches one object and returns some of its properties; ``purpose`` is what the requests count as."""

    client: HubSpotClient
    object_name: str
    properties: Sequence[str]
    purpose: str = "read"

    def pages(self, groups: Sequence[Group], last: str = START) -> Iterator[SearchPage]:
        """Yield pages of the rows beyond the id ``last`` that any group matches, each row once.

        Groups beyond HubSpot's limits are divided over several searches; then no page knows the total.
        """
        packed = self._pack(groups)
        if len(packed) == 1:
            yield from self._pages(packed[0], last)
            return

        for chunk in self.chunks(groups, last):
            yield SearchPage(chunk, 0, more=True)
        yield SearchPage([], 0, more=False)

    def _pages(self, groups: Sequence[Group], last: str) -> Iterator[SearchPage]:
        skip = None
        while True:
            answer = self._search([(*group, after_id(last)) for group in groups], skip)
            rows = sorted(answer["results"], key=_id)
            following = (answer.get("paging") or {}).get("next") or {}
            yield SearchPage(rows, int(answer.get("total") or 0), bool(following))
            if not following:
                return
            # Rows that were archived since they were indexed are left out, so a page can be short, or even empty.
            last, skip = (str(rows[-1]["id"]), None) if rows else (last, following.get("after"))

    def rows(self, groups: Sequence[Group], last: str = START) -> Iterator[Row]:
        """Yield the rows that any group matches, each once, in the order of their ids.

        Groups beyond HubSpot's limits are divided over several searches, which are merged.
        """
        streams = [self._all_rows(packed, last) for packed in self._pack(groups)]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_id)
        for _, same in groupby(merged, key=_id):
            yield next(same)

    def chunks(self, groups: Sequence[Group], last: str = START) -> Iterator[list[Row]]:
        """Yield the rows that any group matches in lists of up to 200."""
        rows = self.rows(groups, last)
        while chunk := list(islice(rows, SEARCH_PAGE)):
            yield chunk

    def count(self, groups: Sequence[Group]) -> int:
        """Return how many records match, by the index's own count."""
        return int(self._search(groups, None, limit=1).get("total") or 0)

    def count_once(self, groups: Sequence[Group]) -> int | None:
        """Return how many records match any group; None where several searches would count some of them twice."""
        packed = self._pack(groups)
        return self.count(packed[0]) if len(packed) == 1 else None

    def among(self, ids: Sequence[str], scope: Group) -> set[str]:
        """Return those of the ids that match the filters. HubSpot takes up to 100 values in one filter."""
        found: set[str] = set()
        room = min(BATCH, (MAX_BODY - len(str(scope)) - 400) // 20)
        for batch in in_batches(ids, room):
            group = (within_ids(batch), *scope)
            found.update(str(row["id"]) for page in self._pages([group], START) for row in page.rows)
        return found

    def _all_rows(self, groups: Sequence[Group], last: str) -> Iterator[Row]:
        for page in self._pages(groups, last):
            yield from page.rows

    def _pack(self, groups: Sequence[Group]) -> list[list[Group]]:
        return [packed for packed in pack_groups(groups, self.properties) if packed]

    def _search(self, groups: Sequence[Group], skip: str | None, limit: int = SEARCH_PAGE) -> Mapping[str, Any]:
        body: dict[str, Any] = {
            "filterGroups": [{"filters": list(group)} for group in groups],
            "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
            "properties": list(self.properties),
            "limit": limit,
        }
        if skip is not None:
            body["after"] = skip

        return self.client.search(self.object_name, body, self.purpose)


def _id(row: Row) -> int:
    return int(row["id"])
