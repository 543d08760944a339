"""The phase in which an account hears what calls and messages have shown of the numbers that its records hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ..state.holdings import list_own_holders
from ..state.number_signs import NumberSigns, keep_mark, read_mark
from ..state.store import Store
from ..suppression.record_reader import read_views
from .brake import Brake
from .examiner import Examiner
from .page_reader import PageSource
from .work_queue import WorkQueue

NUMBERS = 200
"""Numbers with news whose holders are looked up at once."""


@dataclass(frozen=True, slots=True)
class HearSigns:
    """Looks at the records that hold a number with news, before any others: what is suspected is looked up first.

    The mark moves once the records of some numbers have their outcomes, so that a run which dies hears them again.
    """

    source: PageSource
    store: Store
    org_id: int
    ledger: str
    examiner: Examiner
    queue: WorkQueue
    brake: Brake

    def run(self) -> bool:
        """Take the records of each number with news to their outcomes; return False where the run has to end."""
        mark, key = read_mark(self.store, self.org_id), LAST
        while news := self._next(mark, key):
            self.source.begin("numbers with news")
            if not (self._look_at([each for _, each in news]) and self.queue.flush()):
                return False
            if self.brake.pulled:
                return True
            mark, key = news[-1]
            # Of the last mark some numbers may be left: it counts as heard once a question finds none of it.
            self._keep(mark if len(news) < NUMBERS else mark - 1)
        return True

    def _next(self, mark: int, key: bytes) -> list[tuple[int, bytes]]:
        signs = NumberSigns(self.store.keyring, self.ledger)
        with self.store.transaction() as connection:
            return signs.stirred_after(connection, mark, key, NUMBERS)

    def _look_at(self, keys: list[bytes]) -> bool:
        """Examine the records that hold the numbers with these keys, a batch at a time."""
        for records in self._holders(keys):
            self.source.heartbeat()
            views = read_views(self.source.crm, self.source.shapes, records)
            if not self.queue.take(self.examiner.examine(views, authoritative=True)):
                return False
        return True

    def _holders(self, keys: list[bytes]) -> Iterator[list[tuple[str, str]]]:
        size, after = self.queue.batch_size, ("", "")
        while some := self._some_holders(keys, after, size):
            after = some[-1]
            for _, same in groupby(some, key=lambda record: record[0]):
                yield [record for record in same if record[0] in self.source.shapes]

    def _some_holders(self, keys: list[bytes], after: tuple[str, str], size: int) -> list[tuple[str, str]]:
        with self.store.transaction() as connection:
            return list_own_holders(connection, self.org_id, keys, after, size)

    def _keep(self, mark: int) -> None:
        keep_mark(self.store, self.org_id, mark)


LAST = b"\xff" * 16
"""Behind the key of every number: what was heard up to a mark was heard of all numbers at it."""
