"""Excel workbooks, read and written row by row (needs the extra ``[excel]``)."""

from __future__ import annotations

import itertools
import re
import warnings
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from ringfence.core.errors import FileError

try:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.utils.exceptions import InvalidFileException
except ImportError as error:
    raise FileError(
        "Excel files need a part of ringfence that is not installed.", "Run: pip install 'ringfence[excel]'"
    ) from error

from .companions import Layout
from .formulas import UNCALCULATED
from .header_row import SEARCHED_ROWS
from .number_formats import show_figure
from .options import ScreenOptions
from .table import describe_header, name_columns, place_header
from .xlsx_size import check_size

Row: TypeAlias = tuple[Any, ...]
"""Cells of openpyxl's read-only mode."""

_FORMATS_NOTE = "Values are kept, formats are not: the result has no colours, widths, charts or formulas."
_FORMULAS_NOTE = (
    f"Some formulas were never calculated and come out as {UNCALCULATED!r}, which is unknown as a number, and an "
    "opt-out in a column of opt-outs: open and save the file in Excel first."
)
_UNCALCULATED = re.compile(
    rb"<(?:/(?:\w+:)?f|(?:\w+:)?f\b[^<>]*/)>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</|</(?:\w+:)?c>)"
)
_LONGEST_FORMULA = 10_000
# What openpyxl and its parsers raise on damaged files; the parsers' errors are kinds of SyntaxError.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    NotImplementedError,  # what zipfile raises for a member whose compression or encryption it cannot read
    KeyError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
)


class XlsxTable:
    """One sheet of a workbook; the values of the others are carried over."""

    def __init__(self, path: Path, options: ScreenOptions) -> None:
        """Find sheet, columns and header. Raises FileError for what is no workbook, lacks the sheet, or is empty."""
        self.path = path
        with self._reading():
            check_size(path)
        titles = [sheet.title for sheet in self._book.worksheets]
        if options.sheet is not None and options.sheet not in titles:
            raise FileError(f"{path} has no sheet {options.sheet!r}.", f"It has: {', '.join(titles)}.")
        if not titles:
            raise FileError(f"{path} has no sheet with cells.", "Give a workbook with a table.")
        self._sheet = options.sheet or titles[0]
        self._is_uncalculated = self._has_uncalculated()
        self._claimed_rows = self._book[self._sheet].max_row or 0

        rows = [[_text(cell) for cell in row] for row in itertools.islice(self._all_rows(), SEARCHED_ROWS)]
        if not any(any(row) for row in rows):
            raise FileError(
                f"Sheet {self._sheet!r} of {path} has no first row.",
                f"Give a table that begins within the first {SEARCHED_ROWS} rows.",
            )
        self.header_row = place_header(rows, options)
        self.columns = name_columns(rows[self.header_row - 1] if self.header_row else [""] * max(map(len, rows)))
        formulas = (_FORMULAS_NOTE,) if self._is_uncalculated else ()
        self.notes: tuple[str, ...] = (*describe_header(self.header_row), _FORMATS_NOTE, *formulas)

    @property
    def format(self) -> dict[str, str]:
        """Return the kind and the sheet, for the preview."""
        return {"kind": "xlsx", "sheet": self._sheet}

    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """Return (cells, their texts) for each row below the header."""
        rows = itertools.islice(self._all_rows(), self.header_row or 0, None)
        return ((row, [_text(cell) for cell in row]) for row in rows)

    def estimate(self, rows: int, _size: int, /) -> int:
        """Return how many rows the sheet claims to have."""
        return max(rows, self._claimed_rows - (self.header_row or 0))

    @contextmanager
    def writer(self, target: Path, layout: Layout) -> Iterator[XlsxWriter]:
        """Return a writer of a new workbook with the same sheets in the same order, the header already written."""
        with new_book() as book:
            for sheet in self._book.worksheets:
                copy = book.create_sheet(sheet.title)
                copy.sheet_state = sheet.sheet_state

                if sheet.title != self._sheet:
                    for row in self._rows_of(sheet):
                        copy.append([_copied(copy, cell) for cell in row])
                    continue

                writer = XlsxWriter(copy, layout)
                lead = list(itertools.islice(self._all_rows(), self.header_row or 0))
                for row in lead[:-1]:
                    copy.append([_copied(copy, cell) for cell in row])
                if lead:
                    writer.write_header(lead[-1])
                yield writer
            book.save(target)

    def _all_rows(self) -> Iterator[Row]:
        rows = self._rows_of(self._book[self._sheet])
        if not self._is_uncalculated:
            return rows
        return map(_marked, rows, self._rows_of(self._formulas[self._sheet]))

    def _rows_of(self, sheet: Any) -> Iterator[Row]:
        # The size that a file claims for a sheet is not to be trusted: some programs write A1, and rows would be lost.
        sheet.reset_dimensions()
        with self._reading():
            yield from sheet.iter_rows()

    @cached_property
    def _book(self) -> Any:
        """The workbook, opened once: its texts are read as a whole each time, which takes longer than its rows."""
        return self._open(data_only=True)

    @cached_property
    def _formulas(self) -> Any:
        """The workbook with its formulas in place of their values, opened only where some have none."""
        return self._open(data_only=False)

    def _open(self, *, data_only: bool) -> Any:
        with self._reading(), warnings.catch_warnings():
            # What openpyxl warns of (styles, validations) is not carried over in any case, and the note says so.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=data_only)
        weakref.finalize(self, book.close)
        return book

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:
            raise FileError(
                f"{self.path} holds more than fits into memory.", "Save the sheet as CSV, which is read at any size."
            ) from error
        except _DAMAGE as error:
            raise FileError(
                f"{self.path} is not a readable workbook.", "Open it in Excel and save it again as .xlsx."
            ) from error

    def _has_uncalculated(self) -> bool:
        """Return whether the workbook has formulas without a stored value, which is what is read of a formula."""
        with self._reading(), zipfile.ZipFile(self.path) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    with archive.open(name) as part:
                        text = b""
                        while piece := part.read(1 << 20):
                            text = text[-_LONGEST_FORMULA:] + piece
                            if any(not _is_empty_text(text, found) for found in _UNCALCULATED.finditer(text)):
                                return True
        return False


class XlsxWriter:
    """Writes rows with the companions behind them or in their old place."""

    def __init__(self, sheet: Any, layout: Layout) -> None:
        self._sheet = sheet
        self._layout = layout

    def write_header(self, row: Row) -> None:
        """Write the header with the names of the new columns behind its last one."""
        width = self._layout.width
        copied = [_copied(self._sheet, cell) for cell in row]
        names = [text_cell(self._sheet, name) for name in self._layout.appended_names]
        self._sheet.append([*copied[:width], *names, *copied[width:]])

    def render(self, values: Sequence[str]) -> tuple[str, ...]:
        """Return the values as they are."""
        return tuple(values)

    def write(self, row: Row, _cells: list[str], additions: Sequence[Sequence[str]], /) -> None:
        """Write one row and its companions; an empty row stays empty."""
        if not row:
            self._sheet.append([])
            return
        copied = [_copied(self._sheet, cell) for cell in row]
        ours = [[text_cell(self._sheet, value) for value in values] for values in additions]
        self._sheet.append(self._layout.place(copied, ours, None))


@contextmanager
def new_book() -> Iterator[Any]:
    """Yield a new workbook and close its sheets also when it is not saved: each holds a half-written file open."""
    book = openpyxl.Workbook(write_only=True)
    try:
        yield book
    finally:
        for sheet in book.worksheets:
            if not sheet.closed:
                sheet.close()


def _is_empty_text(text: bytes, found: re.Match[bytes]) -> bool:
    """Return whether the formula that ends there was calculated, and is an empty text."""
    before = text[max(0, found.start() - _LONGEST_FORMULA) : found.start()]
    return b't="str"' in before[max(before.rfind(b"<c "), before.rfind(b":c ")) :]


def _marked(row: Row, formulas: Row) -> Row:
    """Return a row with a text in each cell whose formula has no stored value, so that it does not pass for empty."""
    return tuple(
        ReadOnlyCell(cell.parent, cell.row, cell.column, UNCALCULATED, "s")
        if cell.value is None and formula.data_type == "f" and cell.data_type != "str"
        else cell
        for cell, formula in zip(row, formulas, strict=True)
    )


def _text(cell: Any) -> str:
    """Return a cell as text. A figure is as Excel shows it, without the .0 of its storage."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)

    if isinstance(value, int):
        return show_figure(value, cell.number_format)
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _copied(sheet: Any, cell: Any) -> Any:
    value = cell.value
    if isinstance(value, str):
        return text_cell(sheet, value) if value.startswith("=") else value
    if value is None or cell.number_format in (None, "General"):
        return value
    copy = WriteOnlyCell(sheet, value)
    copy.number_format = cell.number_format
    return copy


def text_cell(sheet: Any, value: str) -> Any:
    """Return what to write for a text, so that one that reads like a formula or an error stays a text."""
    if not value:
        return None
    if not value.startswith(("=", "#")):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
