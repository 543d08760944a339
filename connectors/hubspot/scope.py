"""Which records of a page lie inside the mapping's filter, at the fewest calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.core.model.values import Record

from .fields import ID
from .filters import MAX_PER_GROUP, Group
from .paging import START, Row, Searcher
from .source import ObjectSource

_KEYSET = 1
"""Filters that paging by id adds to each group."""


class ScopeChecker:
    """Finds out which records of a read match the filter, by a second read that keeps step with it by id.

    Only HubSpot itself evaluates its filters: to imitate them would be wrong in some case. The second read runs only as
    far as the first, and costs one call for 200 records in scope. ``groups`` narrow it to what the first one reads,
    which begins beyond the id ``last``. Where that leaves no room for the filter in one group, the ids of each page are
    asked about instead.
    """

    def __init__(self, searcher: Searcher, scope: Group, groups: Sequence[Group] = ((),), last: str = START) -> None:
        self._searcher = replace(searcher, properties=(ID,))
        self._scope = scope
        self._last_id = int(last)
        self._by_id = any(len(group) + len(scope) + _KEYSET > MAX_PER_GROUP for group in groups)
        keeps_step = scope and not self._by_id
        self._inside = self._ids([(*group, *scope) for group in groups], last) if keeps_step else iter(())
        self._next_inside = next(self._inside, None)

    def inside(self, ids: Sequence[str]) -> set[str]:
        """Return those of the next page's ids that lie inside the filter; all of them without a filter."""
        if not self._scope:
            return set(ids)

        numbers = [int(one) for one in ids]
        if not numbers or self._by_id or min(numbers) <= self._last_id:
            # Only a list could come in another order, and then its rows are searched by id.
            return self._searcher.among(ids, self._scope) if numbers else set()

        self._last_id = max(numbers)
        found: set[str] = set()

        while self._next_inside is not None and self._next_inside <= self._last_id:
            found.add(str(self._next_inside))
            self._next_inside = next(self._inside, None)

        return found

    def _ids(self, groups: Sequence[Group], last: str) -> Iterator[int]:
        for row in self._searcher.rows(groups, last):
            yield int(row["id"])


def read_in_scope(source: ObjectSource, rows: Sequence[Row], scope: ScopeChecker) -> list[Record]:
    """Return rows as records, each of which knows whether it lies inside the filter."""
    inside = scope.inside([str(row["id"]) for row in rows])
    return [source.rows.read(row, in_scope=str(row["id"]) in inside) for row in rows]
