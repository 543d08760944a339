"""What the import of a list needs of a file: its numbers, batch by batch, whoever wrote it and in whichever form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class UnreadableRow(NamedTuple):
    """A row that holds no number, for people: its line, counted from 1, and its text, masked."""

    line: int
    text: str


class ListBatch(NamedTuple):
    """Some rows of a file.

    ``numbers`` are E.164 in ASCII. Where rows say what became of their numbers, ``changes`` has for each the day (its
    ordinal; 0: not said) and whether it is on the list from then on; None: every number is on it. ``unreadable`` counts
    rows that hold no number, ``examples`` are the first of them. ``position`` is how many bytes of the file are read.
    """

    numbers: Sequence[bytes]
    rows: int
    position: int
    changes: Sequence[tuple[int, bool]] | None = None
    unreadable: int = 0
    examples: tuple[UnreadableRow, ...] = ()


class ListRows(Protocol):
    """The rows of one file, read in constant memory."""

    @property
    def size(self) -> int:
        """Return the bytes of the file."""
        ...

    def batches(self) -> Iterator[ListBatch]:
        """Yield the rows from the first on. Raises FileError where the file cannot be read on."""
        ...
