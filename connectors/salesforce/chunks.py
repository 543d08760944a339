"""How many records of an object may be written at once: fewer where the org's triggers and flows take no more.

Salesforce runs them once for all records of an object in a call, up to 200, within limits of processor time, queries
and the like. Where these do not suffice, each of the records is refused, and fewer pass (salesforce.md, section 2.10).
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import date, timedelta

from ringfence.core.ports.services import Clock

from .composite import COLLECTION

REMEMBERED = timedelta(days=30)
"""How long a size is kept from run to run. After that the full size is tried again: an administrator may have mended
the trigger, and a size that fails costs the org a time-out."""

SOME, MOSTLY = 5, 10
"""Records that may be too much each by itself before that counts, and how many must pass for each of them then."""

_NOTE = "chunk:"
_log = logging.getLogger(__name__)


class ChunkSizes:
    """The size of a chunk of each object: ``most`` until that many fail and fewer pass.

    ``learnt`` is what outlives the run; nothing of it is read but the names that this class wrote. Within a run a size
    grows again only where a larger chunk, sent before, turns out to have passed.
    """

    def __init__(self, clock: Clock, learnt: MutableMapping[str, str], most: int = COLLECTION) -> None:
        self._clock = clock
        self._learnt = learnt
        self._most = most
        self._objects: dict[str, _Experience] = {}

    def size(self, object_name: str) -> int:
        """Return how many records of the object to write at once."""
        return self._of(object_name).size

    def takes_jobs(self, object_name: str) -> bool:
        """Return whether the object may be written by jobs, of which Salesforce makes chunks of 200 by itself."""
        return self.size(object_name) >= COLLECTION

    def is_worth_cutting(self, object_name: str) -> bool:
        """Return whether smaller chunks help: not where many records are too much each by itself."""
        seen = self._of(object_name)
        return seen.alone < SOME or seen.passed > MOSTLY * seen.alone

    def note_passed(self, object_name: str, count: int) -> None:
        """Note that so many records went through together."""
        seen = self._of(object_name)
        seen.passed += count
        if count < seen.size:
            return

        seen.size = min(count, self._most)
        seen.score += 1
        self._remember(object_name, seen.size)

    def note_overload(self, object_name: str, count: int, most: int = COLLECTION) -> None:
        """Note that so many records were too much together; 1: that one is too much by itself.

        A chunk may hold one record that is too much by itself, so that a size is given up only when it failed more
        often than it passed; parts of a chunk, which held ``most`` at the most, tell nothing about a larger size.
        """
        seen = self._of(object_name)
        if count == 1:
            # It was the record and not the size, so the size has its chance again: once, or it costs too much.
            seen.alone += 1
            if seen.alone == 1:
                seen.size = self._most
                self._learnt.pop(_NOTE + object_name, None)
        elif count <= seen.size <= most:
            seen.score -= 1
            if seen.score < 0:
                seen.size, seen.score = count // 2, 0

    def apart(self) -> ChunkSizes:
        """Return sizes for the few rows that failed within chunks of 200: what they teach is not remembered."""
        return ChunkSizes(self._clock, {}, max(1, self._most // 2))

    def _of(self, object_name: str) -> _Experience:
        if object_name not in self._objects:
            size, _ = self._recall(object_name) or (self._most, None)
            self._objects[object_name] = _Experience(min(self._most, size))
        return self._objects[object_name]

    def _remember(self, object_name: str, size: int) -> None:
        """Keep a size that has passed. One that is kept already keeps its day, so that it is tried anew in time."""
        recalled = self._recall(object_name)
        if size >= self._most:
            self._learnt.pop(_NOTE + object_name, None)
        elif recalled is None or recalled[0] != size:
            _log.info("the org's automation takes no more than %d of %s at once", size, object_name)
            self._learnt[_NOTE + object_name] = f"{size} {self._clock.now().date().isoformat()}"

    def _recall(self, object_name: str) -> tuple[int, date] | None:
        note = self._learnt.get(_NOTE + object_name, "").split()
        try:
            size, day = int(note[0]), date.fromisoformat(note[1])
        except (ValueError, IndexError):
            return None
        return (size, day) if size > 0 and self._clock.now().date() - day < REMEMBERED else None


@dataclass(slots=True)
class _Experience:
    """What is known of an object: its size, how much oftener that passed than it failed, records that passed, and
    records that were too much each by itself.
    """

    size: int
    score: int = 0
    passed: int = 0
    alone: int = 0
