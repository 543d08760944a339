"""The contract that CSV and Excel fulfil: rows that can be read more than once, and written with their companions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from .companions import Layout

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class TableWriter(Protocol[R_contra]):
    """Writes the rows of a table, each with its companions."""

    def render(self, values: Sequence[str]) -> tuple[str, ...]:
        """Return six companion values in the form that ``write`` takes; worth keeping where the same values recur."""
        ...

    def write(self, row: R_contra, cells: list[str], additions: Sequence[Sequence[str]], /) -> None:
        """Write one row as it was read, with six rendered companions per phone column."""
        ...


class Table(Protocol[R]):
    """One table of a file.

    ``columns`` are the header's names, or column_1... where there is no header; empty names are column_N too.
    ``notes`` are remarks for the user, shown before work starts.
    """

    path: Path
    columns: tuple[str, ...]
    has_header: bool
    notes: tuple[str, ...]

    @property
    def format(self) -> dict[str, str]:
        """Return how the file is written: kind, and encoding and delimiter, or sheet."""
        ...

    def rows(self) -> Iterator[tuple[R, list[str]]]:
        """Return the rows below the header from the first on: each as ``write`` takes it, and as text cells."""
        ...

    def estimate(self, rows: int, size: int, /) -> int:
        """Return about how many rows there are, judged by the first ``rows`` rows with ``size`` characters of text."""
        ...

    def writer(self, target: Path, layout: Layout) -> AbstractContextManager[TableWriter[R]]:
        """Return a writer to the path that has already written what stands in front of the first row."""
        ...


def name_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns: the header's without white space around, or column_N where it is blank."""
    return tuple(cell.strip() or f"column_{number}" for number, cell in enumerate(header, 1))
