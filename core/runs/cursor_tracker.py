"""How far the cursors of a run may move: past a page once every record of it has an outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple


class _PageEnd(NamedTuple):
    object: str
    cursor: str | None
    queued: int


class CursorTracker:
    """Counts the records that a run has queued and those that have an outcome, and moves the cursors accordingly.

    Records get their outcomes in the order in which they were queued. So a page is done as soon as as many records
    have an outcome as were queued up to its end. ``move`` stores the cursors that it is given, by object name.
    """

    def __init__(self, move: Callable[[Mapping[str, str]], None]) -> None:
        self._move = move
        self._queued = 0
        self._processed = 0
        self._pages: deque[_PageEnd] = deque()

    @property
    def queued(self) -> int:
        """Return how many records were queued so far."""
        return self._queued

    def queue(self, records: int) -> None:
        """Take in that so many more records wait for an outcome."""
        self._queued += records

    def end_page(self, object_name: str, cursor: str | None) -> None:
        """Take in that all due records of a page are queued; ``cursor`` is None for a read without a cursor."""
        self._pages.append(_PageEnd(object_name, cursor, self._queued))
        self.commit()

    def process(self, records: int) -> None:
        """Take in that so many more records have an outcome, in the order in which they were queued."""
        self._processed += records
        self.commit()

    def commit(self) -> None:
        """Move the cursors past the pages whose every record has an outcome."""
        passed: dict[str, str] = {}
        while self._pages and self._pages[0].queued <= self._processed:
            page = self._pages.popleft()
            if page.cursor is not None:
                passed[page.object] = page.cursor

        if passed:
            self._move(passed)

    def abandon_pages(self) -> None:
        """Forget the pages that are not done and the records queued for them: the next run reads them again."""
        self._pages.clear()
        self._queued = self._processed
