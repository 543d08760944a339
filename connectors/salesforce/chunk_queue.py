"""The rows of a list of changes as chunks on their way out, cut to the sizes that the org takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.core.model.values import Change

from ..http.batches import in_batches
from .chunks import ChunkSizes
from .composite import COLLECTION


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one subrequest, by their indexes among the changes, and how often they have been sent already.

    ``most`` is how many of an object it may hold: fewer than others where it was too much for the org before.
    """

    indexes: tuple[int, ...]
    tries: int = 0
    most: int = COLLECTION


class ChunkQueue:
    """Chunks of one list of changes, in the order in which they are sent."""

    def __init__(self, changes: Sequence[Change], sizes: ChunkSizes) -> None:
        self._changes = changes
        self._sizes = sizes
        self._waiting: deque[Chunk] = deque()

    def add(self, chunks: Iterable[Chunk]) -> None:
        """Put chunks behind the others."""
        self._waiting.extend(chunks)

    def put_back(self, chunks: Sequence[Chunk]) -> None:
        """Put chunks in front of the others."""
        self._waiting.extendleft(reversed(chunks))

    def take(self, count: int) -> list[Chunk]:
        """Return so many chunks, or the fewer that are left, cut to the sizes that hold by now."""
        taken: list[Chunk] = []
        while self._waiting and len(taken) < count:
            first, *rest = self._fit(self._waiting.popleft())
            self.put_back(rest)
            taken.append(first)
        return taken

    def by_object(self, indexes: Iterable[int]) -> dict[str, list[int]]:
        """Return the indexes of changes by the object that they are about."""
        rows: dict[str, list[int]] = {}
        for index in indexes:
            rows.setdefault(self._changes[index].object, []).append(index)
        return rows

    def halve(self, chunk: Chunk, overloaded: Sequence[int]) -> list[Chunk]:
        """Learn from what became of a chunk, and return in halves the rows that were too many together.

        Nothing is returned of an object whose rows are too much each by itself.
        """
        sent, refused = self.by_object(chunk.indexes), self.by_object(overloaded)
        for name, indexes in sent.items():
            if name in refused:
                self._sizes.note_overload(name, len(indexes), chunk.most)
            else:
                self._sizes.note_passed(name, len(indexes))

        return [
            Chunk(tuple(indexes), most=len(sent[name]) // 2)
            for name, indexes in refused.items()
            if len(sent[name]) > 1 and self._sizes.is_worth_cutting(name)
        ]

    def _fit(self, chunk: Chunk) -> list[Chunk]:
        """Return the chunk itself, or its parts where it holds more of an object than the org takes at once."""
        rows = self.by_object(chunk.indexes)
        sizes = {name: min(self._sizes.size(name), chunk.most) for name in rows}
        large = [name for name, indexes in rows.items() if len(indexes) > sizes[name]]
        if not large:
            return [chunk]

        rest = tuple(index for index in chunk.indexes if self._changes[index].object not in large)
        parts = [replace(chunk, indexes=rest)] if rest else []
        for name in large:
            parts += [replace(chunk, indexes=tuple(part)) for part in in_batches(rows[name], sizes[name])]
        return parts
