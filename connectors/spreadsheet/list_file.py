"""A new list of texts in rows, as CSV or as an Excel workbook, written row by row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import BinaryIO, Protocol

from ringfence.core.errors import FileError

from .formulas import make_harmless

MOST_ROWS = 1_048_576
"""How many rows a sheet of Excel holds, the header included."""

_LONGEST_CELL = 32_767  # characters, in Excel
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what no workbook can hold


class ListWriter(Protocol):
    """Writes rows of texts."""

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Write the rows."""
        ...


@contextmanager
def open_list(file: BinaryIO, columns: Sequence[str], *, excel: bool) -> Iterator[ListWriter]:
    """Yield a writer of rows to a new file; the columns' names are written.

    Raises FileError where the extra for Excel is not installed, or more rows come than a sheet holds.
    """
    if not excel:
        stream = TextIOWrapper(file, "utf-8", "replace", newline="")
        try:
            yield _CsvList(stream, columns)
        finally:
            stream.detach()  # the file is closed by whoever opened it
        return

    from .xlsx_table import new_book  # noqa: PLC0415 - an extra

    with new_book() as book:
        yield _ExcelList(book.create_sheet("numbers"), columns)
        book.save(file)


class _CsvList:
    """No text is taken for a formula; a number with its plus stays as it is."""

    def __init__(self, stream: TextIOWrapper, columns: Sequence[str]) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        self._writer.writerows([cell if cell[:1].isalnum() else make_harmless(cell) for cell in row] for row in rows)


class _ExcelList:
    """Every cell is a text, a number too: a figure of so many digits would lose its plus and its last digits."""

    def __init__(self, sheet: object, columns: Sequence[str]) -> None:
        self._sheet, self._rows = sheet, 0
        self.write([columns])

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        from .xlsx_table import text_cell  # noqa: PLC0415 - an extra

        for row in rows:
            self._rows += 1
            if self._rows > MOST_ROWS:
                raise FileError(f"A sheet holds {MOST_ROWS:,} rows, and there are more.", "Name a file ending in .csv.")
            cells = (_REFUSED.sub("", cell)[:_LONGEST_CELL] for cell in row)
            self._sheet.append([text_cell(self._sheet, cell) for cell in cells])  # type: ignore[attr-defined]  # openpyxl is an extra
