"""Which columns hold phone numbers, countries and opt-outs, judged by their headers and a sample of their cells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from ringfence.core.errors import UsageError
from ringfence.core.numbers import Validity, read_number
from ringfence.core.numbers.regions import read_region

from . import headers
from .companions import is_companion, was_screened
from .opt_outs import reads_as_flag

_DIGIT = re.compile(r"\d")
_SHAPE = re.compile(r"^\s*(\+|00)|[\s().-]")
_UNIX_TIME = re.compile(r"1[4-9]\d{8}(\d{3})?")
_FEW = 5  # so many cells must fit before content alone decides
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?\s*")


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column and why it was chosen: ``by`` is "named", "header" or "content"; ``share`` of its cells fit, 0 to 1."""

    index: int
    name: str
    by: str
    share: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a table under the names of its columns."""

    columns: tuple[str, ...]
    rows: tuple[list[str], ...]

    def cells(self, index: int) -> list[str]:
        """Return the cells of a column that are not blank."""
        return [row[index] for row in self.rows if index < len(row) and not row[index].isspace() and row[index]]

    def pairs(self, index: int, country: int | None, region: str | None) -> list[tuple[str, str | None]]:
        """Return the cells of a column that are not blank, each with the region of its row."""
        return [
            (row[index], region_of(row, country, region))
            for row in self.rows
            if index < len(row) and row[index].strip()
        ]


def region_of(row: Sequence[str], country: int | None, region: str | None) -> str | None:
    """Return the ISO 3166 region of a row: its country cell where that can be read, else the given one."""
    if country is None or country >= len(row):
        return region
    return read_region(row[country]) or region


def holds_numbers(row: Sequence[str], region: str | None) -> bool:
    """Return whether a first row is data rather than a header.

    Data holds phone numbers, and no cell of it reads like the header of a phone, country or opt-out column.
    """
    if any(map(_is_header, row)):
        return False
    with_digits = [cell for cell in row if _digits(cell) > 4]
    return any(_looks_like_number(cell) or read_number(cell, region).e164 is not None for cell in with_digits)


def _is_header(cell: str) -> bool:
    if _digits(cell) > 4:
        return False
    return headers.names_phone(cell) or headers.names_country(cell) or headers.names_opt_out(cell)


def find_phones(sample: Sample, country: int | None, region: str | None) -> tuple[FoundColumn, ...]:
    """Return the phone columns in order.

    ``country`` is the place of the country column, ``region`` the ISO 3166 region of rows without a country. A column
    whose header names phones, or that was screened before, counts unless fewer than three in ten of its cells have
    enough digits. Any other counts when seven in ten read as numbers and most are written as people write numbers, or
    when nearly all of at least five read as numbers.
    """
    found = (_judge_phone(sample, index, country, region) for index in range(len(sample.columns)))
    return tuple(column for column in found if column)


def _judge_phone(sample: Sample, index: int, country: int | None, region: str | None) -> FoundColumn | None:
    """Return the column where it holds phone numbers, or None."""
    name = sample.columns[index]
    if is_companion(name) or headers.names_phone_property(name):
        return None

    pairs = sample.pairs(index, country, region)
    by_header = headers.names_phone(name) or was_screened(sample.columns, name)
    with_digits = _share([4 < _digits(text) < 40 and not _DATE.fullmatch(text) for text, _ in pairs])
    if with_digits < 0.3 and len(pairs) >= (_FEW if by_header else 1):
        return None

    numbers = _share([_looks_like_number(text) and _is_number(text, home) for text, home in pairs])
    if by_header:
        return FoundColumn(index, name, "header", numbers)
    if headers.excludes_phone(name) or all(_UNIX_TIME.fullmatch(text) for text, _ in pairs):
        return None

    as_people_write = _share([_SHAPE.search(text) is not None for text, _ in pairs])
    if (numbers >= 0.7 and as_people_write >= 0.5) or (numbers >= 0.9 and len(pairs) >= _FEW):
        return FoundColumn(index, name, "content", numbers)
    return None


def find_country(sample: Sample) -> FoundColumn | None:
    """Return the column that best tells the country of a row, or None.

    Two- and three-letter codes count only under a header that names countries: states, languages and salutations ("Mr",
    "Ms") look the same. A header counts for more than any content; then the column with most countries counts.
    """
    ranked = [found for index in range(len(sample.columns)) if (found := _judge_country(sample, index))]
    return max(ranked, key=itemgetter(0))[1] if ranked else None


def _judge_country(sample: Sample, index: int) -> tuple[float, FoundColumn] | None:
    """Return the column with its rank where it holds countries, or None."""
    name = sample.columns[index]
    by_header = headers.names_country(name)
    if is_companion(name) or headers.names_opt_out(name) or (headers.excludes_country(name) and not by_header):
        return None

    cells = sample.cells(index)
    share = _share([read_region(cell) is not None and (by_header or len(cell.strip()) > 3) for cell in cells])
    if by_header and cells and share < 0.5:
        return None
    if not by_header and (len(cells) < _FEW or share < 0.95):
        return None

    rank = share * len(cells) / max(1, len(sample.rows)) + by_header
    return rank, FoundColumn(index, name, "header" if by_header else "content", share)


def find_opt_outs(sample: Sample) -> tuple[FoundColumn, ...]:
    """Return the columns whose header names opt-outs and half of whose cells, or more, read as yes or no."""
    found = []
    for index, name in enumerate(sample.columns):
        if headers.names_opt_out(name) and not is_companion(name):
            cells = sample.cells(index)
            share = _share([reads_as_flag(cell) for cell in cells])
            if share >= 0.5 or not cells:
                found.append(FoundColumn(index, name, "header", share))
    return tuple(found)


def find_named(columns: Sequence[str], name: str) -> list[int]:
    """Return the places of the columns of that name: as written, else in any case, else ``column_N`` by its place.

    Raises UsageError where none has that name; it lists the columns that there are.
    """
    wanted = name.strip()
    exact = [index for index, column in enumerate(columns) if column == wanted]
    loose = [index for index, column in enumerate(columns) if column.casefold() == wanted.casefold()]
    place = re.fullmatch(r"column_([1-9]\d{0,5})", wanted)
    by_place = [int(place[1]) - 1] if place and int(place[1]) <= len(columns) else []

    if found := exact or loose or by_place:
        return found
    close = difflib.get_close_matches(wanted, columns, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"There is no column {wanted!r}.", f"{hint}The columns are: {list_columns(columns)}.")


def list_columns(columns: Sequence[str]) -> str:
    """Return the names for a message, at most twenty."""
    more = f", and {len(columns) - 20} more" if len(columns) > 20 else ""
    return ", ".join(columns[:20]) + more


def _digits(text: str) -> int:
    return len(_DIGIT.findall(text[:200]))


def _looks_like_number(text: str) -> bool:
    count = _digits(text)
    return 6 < count < 40 and count * 2 > len(text.strip()) and not _DATE.fullmatch(text)


def _is_number(text: str, region: str | None) -> bool:
    return read_number(text, region).validity is Validity.VALID


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
