"""Due records waiting to be processed, in full batches, within the user's limit and the budget of lookups."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from ..decisions.due_record import DueRecord
from .batches import BatchProcessor
from .cursor_tracker import CursorTracker
from .progress import Progress


class WorkQueue:
    """Collects due records and processes them in batches of ``batch_size``.

    ``limit`` is how many records the run may handle, None for all. ``exhausted`` tells whether the budget of lookups is
    used up; what it owes waits, and the work goes on unless :meth:`end_with_budget` says otherwise. ``heartbeat`` is
    called before each batch, so that the run's lease does not run out.
    """

    def __init__(
        self,
        processor: BatchProcessor,
        tracker: CursorTracker,
        progress: Progress,
        heartbeat: Callable[[], None],
        exhausted: Callable[[], bool],
        *,
        batch_size: int,
        limit: int | None,
    ) -> None:
        self.batch_size = batch_size
        self.limit = limit
        self._processor = processor
        self._tracker = tracker
        self._progress = progress
        self._heartbeat = heartbeat
        self._exhausted = exhausted
        self._waiting: deque[DueRecord] = deque()
        self._ends_with_budget = False

    def take(self, records: Sequence[DueRecord]) -> bool:
        """Queue due records and process full batches; return False when the run has to end here."""
        left = None if self.limit is None else self.limit - self._tracker.queued
        taken = records if left is None else records[:left]
        self._waiting.extend(taken)
        self._tracker.queue(len(taken))

        while len(self._waiting) >= max(self.batch_size, self._processor.reach):
            if not self._process_some():
                return False

        if len(taken) < len(records):
            self.flush()
            return False
        return True

    def flush(self) -> bool:
        """Process what is queued and wait for its outcomes; return False when the run has to end here."""
        while self._waiting:
            if not self._process_some():
                return False

        self.count_done(self._processor.drain())
        return True

    @property
    def exhausted(self) -> bool:
        """Return whether the budget of lookups is used up."""
        return self._exhausted()

    def end_with_budget(self) -> None:
        """From now on end the work where the budget of lookups is used up: only records that owe one are to come."""
        self._ends_with_budget = True

    def go_on_without_budget(self) -> None:
        """Drop what is queued, and process from now on also where the budget is used up: silencing costs no lookup."""
        self._waiting.clear()
        self._tracker.abandon_pages()
        self._ends_with_budget = False

    def give_up(self) -> None:
        """Drop what is queued, and go on with other records; those in flight end first, whatever becomes of them."""
        self._waiting.clear()
        self.count_done(self._processor.give_up())

    def count_done(self, records: int) -> None:
        """Take in that so many more records have an outcome."""
        self._progress.advance(records)
        self._tracker.process(records)

    def _process_some(self) -> bool:
        """Process a batch, or all those whose lookups are bought together; return False when the run has to end here.

        Whatever was bought together is written together: a cap that was met on the way ends the work behind it.
        """
        self._heartbeat()
        reach = self._processor.reach
        left = min(len(self._waiting), max(self.batch_size, reach))
        if reach:
            self._processor.prepare(list(islice(self._waiting, left)))

        while left > 0 and self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(left, self.batch_size, len(self._waiting)))]
            self.count_done(self._processor.process(batch))
            left -= len(batch)
            if left > 0:
                self._heartbeat()  # behind the batch, not in front of it: what was answered before an end is written
        if not (self._ends_with_budget and self._exhausted()):
            return True

        self.count_done(self._processor.drain())
        return False
