"""The search index of one object type, which may lag behind the records."""

from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

STANDING_QUERIES = 32
"""How many filters keep their result list between pages; a scan of 100,000 records for each page would cost 50 ms."""


class Document(NamedTuple):
    """What the index knows of a record: its properties (shared, never changed) and its times in epoch milliseconds."""

    id: int
    properties: dict[str, str]
    modified: int


Predicate = Callable[[Document], bool]


class SearchIndex:
    """The documents by id; a change becomes visible `lag` milliseconds after it was made.

    `disorder`, if set, takes the ids that a search found in their proper order and returns them in another.
    """

    def __init__(self, modified_property: str) -> None:
        self.modified_property = modified_property
        self.lag = 0
        self.disorder: Callable[[list[int]], list[int]] | None = None
        self.documents: dict[int, Document] = {}
        self._order: list[int] = []
        self._waiting: deque[tuple[int, int, Document | None]] = deque()
        self._standing: OrderedDict[str, tuple[Predicate, list[int]]] = OrderedDict()

    def put(self, record_id: int, properties: dict[str, str], modified: int, *, at: int) -> None:
        """Index the new state of a record that changed at `at` (epoch milliseconds; 0: visible at once)."""
        self._enter(at, record_id, Document(record_id, properties, modified))

    def drop(self, record_id: int, *, at: int) -> None:
        """Remove a record that was archived or merged away at `at` (epoch milliseconds)."""
        self._enter(at, record_id, None)

    def catch_up(self, now: int) -> None:
        """Make every change visible that is older than the lag; `now` is in epoch milliseconds."""
        while self._waiting and self._waiting[0][0] + self.lag <= now:
            _, record_id, document = self._waiting.popleft()
            self._apply(record_id, document)

    def matching(self, key: str, predicate: Predicate) -> list[int]:
        """Return the ids of matching documents in ascending order; `key` names the predicate, the list is shared."""
        known = self._standing.get(key)
        if known is not None:
            self._standing.move_to_end(key)
            return known[1]
        documents = self.documents
        found = [record_id for record_id in self._order if predicate(documents[record_id])]
        self._standing[key] = (predicate, found)
        if len(self._standing) > STANDING_QUERIES:
            self._standing.popitem(last=False)
        return found

    def _enter(self, at: int, record_id: int, document: Document | None) -> None:
        if self.lag or self._waiting:
            self._waiting.append((at, record_id, document))
        else:
            self._apply(record_id, document)

    def _apply(self, record_id: int, document: Document | None) -> None:
        known = record_id in self.documents
        if document is None:
            if not known:
                return
            del self.documents[record_id]
            del self._order[bisect_left(self._order, record_id)]
        else:
            self.documents[record_id] = document
            if not known:
                if self._order and record_id < self._order[-1]:
                    insort(self._order, record_id)
                else:
                    self._order.append(record_id)

        for predicate, found in self._standing.values():
            _place(found, record_id, document is not None and predicate(document))


def _place(found: list[int], record_id: int, belongs: bool) -> None:
    position = bisect_left(found, record_id)
    present = position < len(found) and found[position] == record_id
    if belongs and not present:
        found.insert(position, record_id)
    elif present and not belongs:
        del found[position]
