"""Registers that are tables: CSV of any dialect, or a workbook, with the numbers in one column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.suppression.list_rows import ListBatch, UnreadableRow

from ..columns import Sample, find_named, find_phones, list_columns, looks_like_number
from ..options import ScreenOptions
from ..table import Table
from .lines import read_cell, show_row
from .results import find_results, is_listed

SAMPLE_ROWS = 200
_BATCH = 5_000
_EXAMPLES = 3


@dataclass(frozen=True)
class TableReader:
    """Reads one column of a table; ``results`` are those that say whether a number is on the register."""

    table: Table[Any]
    column: int
    results: tuple[int, ...]
    region: str | None

    @property
    def size(self) -> int:
        """Return the bytes of the file."""
        return self.table.path.stat().st_size

    def batches(self) -> Iterator[ListBatch]:
        """Yield the rows below the header. Raises FileError where the file cannot be read on."""
        line, read = self.table.header_row or 0, 0
        rows = self.table.rows()
        while some := list(islice(rows, _BATCH)):
            numbers: list[bytes] = []
            changes: list[tuple[int, bool]] = []
            filled, unreadable, examples = 0, 0, list[UnreadableRow]()
            for raw, cells in some:
                line += 1
                read += len(raw) if isinstance(raw, str) else 0
                text = cells[self.column].strip() if self.column < len(cells) else ""
                if not any(map(str.strip, cells)):
                    continue
                filled += 1
                found = read_cell(text, self.region)
                if not found:
                    unreadable += 1
                    if len(examples) < _EXAMPLES:
                        examples.append(show_row(line, text))
                numbers += found
                if self.results:
                    changes += [(0, self._is_listed(cells))] * len(found)
            said = changes if self.results else None
            yield ListBatch(numbers, filled, min(read, self.size), said, unreadable, tuple(examples))

    def _is_listed(self, cells: list[str]) -> bool:
        """Return whether a result says that its number is on the register, or says nothing plainly."""
        return any(is_listed(cells[index] if index < len(cells) else "") for index in self.results)


def open_columns(
    table: Table[Any], column: str | None, region: str | None, channel: Channel
) -> tuple[TableReader, list[list[str]]]:
    """Return a reader of the named column, else of the one that holds numbers, and the first rows.

    Raises UsageError where none has that name, and where none or several may be meant.
    """
    rows = [cells for _, cells in islice(table.rows(), SAMPLE_ROWS)]
    sample = Sample(table.columns, tuple(rows))
    places = [found.index for found in find_phones(sample, None, region)] or _hold_numbers(sample, region)
    if column is not None:
        places = find_named(table.columns, column)
    elif len(table.columns) == 1:
        places = [0]

    if len(places) != 1:
        said = "No column" if not places else "More than one column"
        raise UsageError(
            f"{said} of {Path(table.path).name} seems to hold the numbers.",
            f"Name it with --column. The columns are: {list_columns(table.columns)}.",
        )
    results = tuple(each for each in find_results(table.columns, rows, channel) if each != places[0])
    return TableReader(table, places[0], results, region), rows


def _hold_numbers(sample: Sample, region: str | None) -> list[int]:
    """Return the columns most of whose cells are numbers, whatever their headers say: a register has little else."""
    places = []
    for index in range(len(sample.columns)):
        pairs = sample.pairs(index, None, region)
        found = sum(looks_like_number(text) and bool(read_cell(text, home)) for text, home in pairs)
        if pairs and found * 2 > len(pairs):
            places.append(index)
    return places


def options_for(region: str | None) -> ScreenOptions:
    """Return how a table of a register is opened."""
    return ScreenOptions(region=region)
