"""What a file is, found out before work starts: its format, columns and size, and a preview of its first rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import FileError, UsageError
from ringfence.core.numbers import mask

from .columns import FoundColumn, Sample, find_country, find_named, find_opt_outs, find_phones
from .companions import is_companion
from .csv_table import CsvTable
from .encoding import check_text, read_head
from .headers import names_opt_out
from .options import ScreenOptions
from .table import Table

SAMPLE_ROWS = 1000
_SAMPLE_SIZE = 16 * 1024 * 1024
_PREVIEW_ROWS = 5
_PREVIEW_WIDTH = 40
_UNREAD_NOTE = (
    "Column {!r} sounds like opt-outs, but its cells do not say yes or no, so they count for nothing. "
    "Name it with --opt-out if they should."
)
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found out about a file. ``preview`` holds the first rows, cells shortened and numbers masked.

    ``format`` has the keys kind, and encoding and delimiter for CSV or sheet for Excel. ``rows`` is an estimate.
    """

    path: Path
    format: dict[str, str]
    has_header: bool
    columns: tuple[str, ...]
    phones: tuple[FoundColumn, ...]
    country: FoundColumn | None
    opt_outs: tuple[FoundColumn, ...]
    rows: int
    preview: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def detect(path: Path, options: ScreenOptions) -> Detection:
    """Return what the file is and which of its columns matter; changes nothing.

    Raises FileError when it cannot be read as a table, UsageError when a named column is not there.
    """
    return survey(open_table(path, options), options)


def open_table(path: Path, options: ScreenOptions) -> Table[Any]:
    """Return the file as a table: Excel when it is a workbook called .xlsx, otherwise CSV.

    Raises FileError when it cannot be read as one, UsageError for options that do not fit it.
    """
    if options.delimiter is not None and (len(options.delimiter) != 1 or options.delimiter in "\"'\r\n"):
        raise UsageError(f"{options.delimiter!r} cannot separate columns.", "Name one character, such as ';'.")

    if not path.is_file():
        raise FileError(f"{path} is not a file.", "Check the name.")
    is_zip = read_head(path).startswith(_ZIP)
    if path.suffix.lower() == ".xlsx" and is_zip:
        from .xlsx_table import XlsxTable  # noqa: PLC0415 - needs an extra that a user of CSV does not have

        return XlsxTable(path, options)

    if path.suffix.lower() in (".xlsm", ".xlsb", ".ods", ".numbers"):
        raise FileError(f"{path} is a workbook of a kind that is not read.", "Save it as .xlsx or CSV.")
    if options.sheet:
        raise UsageError(f"{path} has no sheets, so there is none called {options.sheet!r}.", "Leave --sheet out.")
    if path.suffix.lower() == ".xlsx":
        check_text(path)
    return CsvTable(path, options)


def survey(table: Table[Any], options: ScreenOptions) -> Detection:
    """Return what a table holds, judged by its first thousand rows.

    Raises UsageError for a named column that it lacks.
    """
    rows, size = _read_sample(table)
    sample = Sample(table.columns, tuple(rows))
    is_whole = len(rows) < SAMPLE_ROWS and size < _SAMPLE_SIZE

    country = _named(sample, (options.country,))[0] if options.country else find_country(sample)
    place = country.index if country else None
    phones = _named(sample, options.phones) if options.phones else find_phones(sample, place, options.region)
    opt_outs = _named(sample, options.opt_outs) if options.opt_outs else find_opt_outs(sample)

    return Detection(
        path=table.path,
        format=table.format,
        has_header=table.has_header,
        columns=table.columns,
        phones=phones,
        country=country,
        opt_outs=opt_outs,
        rows=len(rows) if is_whole else table.estimate(len(rows), size),
        preview=tuple(tuple(map(_preview_cell, row)) for row in rows[:_PREVIEW_ROWS]),
        notes=tuple(_notes(table, options, opt_outs)),
    )


def _notes(table: Table[Any], options: ScreenOptions, opt_outs: tuple[FoundColumn, ...]) -> Iterator[str]:
    yield from table.notes
    if not table.has_header:
        why = "The first row holds numbers, so there" if options.header is None else "There"
        yield f"{why} is no header: columns are called column_1 and so on."
    if not options.opt_outs:
        used = {column.index for column in opt_outs}
        unused = [name for index, name in enumerate(table.columns) if index not in used]
        yield from (_UNREAD_NOTE.format(name) for name in unused if names_opt_out(name) and not is_companion(name))


def _read_sample(table: Table[Any]) -> tuple[list[list[str]], int]:
    rows: list[list[str]] = []
    size = 0
    for _, cells in itertools.islice(table.rows(), SAMPLE_ROWS):
        rows.append(cells)
        size += sum(map(len, cells)) + max(1, len(cells))
        if size >= _SAMPLE_SIZE:
            break
    return rows, size


def _named(sample: Sample, names: tuple[str, ...]) -> tuple[FoundColumn, ...]:
    places = dict.fromkeys(place for name in names for place in find_named(sample.columns, name))
    return tuple(FoundColumn(place, sample.columns[place], "named", 1.0) for place in places)


def _preview_cell(cell: str) -> str:
    if sum(map(str.isdecimal, cell)) > 5:
        return mask(cell)
    shown = "".join(character if character.isprintable() else " " for character in cell[:_PREVIEW_WIDTH])
    return shown + "…" if len(cell) > _PREVIEW_WIDTH else shown
