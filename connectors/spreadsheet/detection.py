"""What a file is, found out before work starts: its format, columns and size, and a preview of its first rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ringfence.core.errors import FileError, UsageError
from ringfence.core.numbers import Validity, read_number

from .columns import FoundColumn, Sample, find_country, find_named, find_permissions, find_phones
from .csv_table import CsvTable
from .dial_codes import CodeColumn, DialCodes, assign_codes, find_codes
from .encoding import check_text, read_head
from .headers import names_consent
from .options import ScreenOptions
from .phone_cells import PhoneCells
from .roles import ColumnRole, describe_columns, preview_cell
from .table import Table

SAMPLE_ROWS = 1000
_SAMPLE_SIZE = 16 * 1024 * 1024
_PREVIEW_ROWS = 5
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found out about a file. ``preview`` holds the first rows, cells shortened and numbers masked.

    ``format`` has the keys kind, and encoding and delimiter for CSV or sheet for Excel. ``rows`` is an estimate.
    ``header_row`` is counted from 1, None without a header. ``codes`` holds the dialling codes of the phone columns
    that have any in columns of their own, by place. ``roles`` tells of every column what it was taken for.
    """

    path: Path
    format: dict[str, str]
    header_row: int | None
    columns: tuple[str, ...]
    phones: tuple[FoundColumn, ...]
    country: FoundColumn | None
    opt_outs: tuple[FoundColumn, ...]
    codes: Mapping[int, DialCodes]
    roles: tuple[ColumnRole, ...]
    rows: int
    preview: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def has_header(self) -> bool:
        """Return whether the columns have names of their own."""
        return self.header_row is not None


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

    if options.header is False and options.header_row is not None:
        raise UsageError("A file without a header has no header row.", "Leave --no-header or --header-row out.")

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
    code_columns = _find_codes(sample, options, place)
    used = {column.index for column in code_columns} | ({country.index} if country else set())
    phones = _named(sample, options.phones) if options.phones else find_phones(sample, place, options.region, skip=used)
    used |= {column.index for column in phones}
    opt_outs = _named_flags(sample, options.opt_outs) if options.opt_outs else find_permissions(sample, skip=used)

    codes = assign_codes(code_columns, [column.index for column in phones])
    cells = {phone: PhoneCells((phone,), place, options.region, codes) for phone in codes}
    phones = tuple(_judge_joined(sample, column, cells.get(column.index)) for column in phones)
    roles = describe_columns(sample, phones, country, opt_outs, code_columns, codes)
    return Detection(
        path=table.path,
        format=table.format,
        header_row=table.header_row,
        columns=table.columns,
        phones=phones,
        country=country,
        opt_outs=opt_outs,
        codes=codes,
        roles=roles,
        rows=len(rows) if is_whole else table.estimate(len(rows), size),
        preview=tuple(tuple(map(preview_cell, row)) for row in rows[:_PREVIEW_ROWS]),
        notes=tuple(_notes(table, options, roles)),
    )


def _judge_joined(sample: Sample, column: FoundColumn, cells: PhoneCells | None) -> FoundColumn:
    """Return a phone column with the share of its cells that read as numbers together with their dialling codes."""
    if cells is None:
        return column
    joined = [cell for row in sample.rows for cell in cells.read(row) if cell]
    numbers = sum(read_number(*cell).validity is Validity.VALID for cell in joined)
    return replace(column, share=numbers / len(joined) if joined else 0.0)


def _find_codes(sample: Sample, options: ScreenOptions, country: int | None) -> list[CodeColumn]:
    """Return the columns of dialling codes; none of them is a column that was named, or the country's."""
    named = {place for name in (*options.phones, *options.opt_outs) for place in find_named(sample.columns, name)}
    cells = [sample.cells(index) for index in range(len(sample.columns))]
    return [code for code in find_codes(sample.columns, cells) if code.index not in named and code.index != country]


def _notes(table: Table[Any], options: ScreenOptions, roles: Sequence[ColumnRole]) -> Iterator[str]:
    yield from table.notes
    if table.header_row is None:
        why = "The first row holds numbers, so there" if options.header is None else "There"
        yield f"{why} is no header: columns are called column_1 and so on."
    yield from (f"Column {role.name!r}: {role.why}." for role in roles if role.is_warning)


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


def _named_flags(sample: Sample, names: tuple[str, ...]) -> tuple[FoundColumn, ...]:
    """Return the named columns of opt-outs; one whose header says who may be called is read the other way round."""
    return tuple(replace(column, inverse=names_consent(column.name)) for column in _named(sample, names))
