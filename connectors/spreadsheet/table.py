"""The contract that CSV and Excel fulfil: rows that can be read more than once, and written with their companions."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from ringfence.core.errors import UsageError

from .companions import Layout
from .header_row import find_header
from .options import ScreenOptions

_BLANK = string.whitespace + "\u00a0\u3000\ufeff\u200b"

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class TableWriter(Protocol[R_contra]):
    """Writes the rows of a table, each with its companions."""

    def render(self, values: Sequence[str]) -> tuple[str, ...]:
        """Return companion values in the form that ``write`` takes; worth keeping where the same values recur."""
        ...

    def write(self, row: R_contra, cells: list[str], additions: Sequence[Sequence[str]], /) -> None:
        """Write one row as it was read, with its rendered companions per phone column."""
        ...


class Table(Protocol[R]):
    """One table of a file.

    ``columns`` are the header's names, or column_1... where there is no header; empty names are column_N too.
    ``header_row`` is the row that the header stands in, counted from 1, and None where there is none.
    ``notes`` are remarks for the user, shown before work starts.
    """

    path: Path
    columns: tuple[str, ...]
    header_row: int | None
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


def place_header(rows: Sequence[Sequence[str]], options: ScreenOptions) -> int | None:
    """Return the row of the header among the first rows, counted from 1: the one that was stated, else the one found.

    Returns None where there is no header. Raises UsageError for a stated row that there is not.
    """
    if options.header is False:
        return None
    if options.header_row is not None:
        if not (0 < options.header_row <= len(rows) and any(cell.strip() for cell in rows[options.header_row - 1])):
            raise UsageError(
                f"Row {options.header_row} holds no header.",
                f"Name a filled row among the first {len(rows)}, counted from 1, blank rows included.",
            )
        return options.header_row

    found = find_header(rows, options.region)
    if found is None:
        return 1 if options.header else None
    return found + 1


def describe_header(header_row: int | None) -> tuple[str, ...]:
    """Return the remark on a header that is not in the first row; none otherwise."""
    if header_row is None or header_row == 1:
        return ()
    return (
        f"The header was found in row {header_row}; what stands above it stays as it is. "
        "If another row is the header, name it with --header-row.",
    )


def name_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns: the header's without white space around, or column_N where it is blank."""
    return tuple(cell.strip(_BLANK) or f"column_{number}" for number, cell in enumerate(header, 1))
