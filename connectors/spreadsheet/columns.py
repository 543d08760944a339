"""Which columns hold phone numbers, countries and opt-outs, judged by their headers and a sample of their cells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from ringfence.core.errors import UsageError
from ringfence.core.numbers import Validity, read_number
from ringfence.core.numbers.regions import read_region

from . import headers
from .companions import is_companion, screened_columns
from .formulas import UNCALCULATED
from .opt_outs import is_date
from .phone_cells import region_of
from .words import names

_DIGIT = re.compile(r"\d")
_SHAPE = re.compile(r"^\s*(\+|00)|[\s().-]")
_UNIX_TIME = re.compile(r"1[4-9]\d{8}(\d{3})?")
_FEW = 5  # so many cells must fit before content alone decides
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?\s*")


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column and why it was chosen: ``by`` is "named", "header" or "content"; ``share`` of its cells fit, 0 to 1.

    ``inverse`` is for opt-outs: the column says who may be called, as *Can call* does.
    """

    index: int
    name: str
    by: str
    share: float
    inverse: bool = False


@dataclass(frozen=True)
class Sample:
    """The first rows of a table under the names of its columns."""

    columns: tuple[str, ...]
    rows: tuple[list[str], ...]

    @cached_property
    def screened(self) -> frozenset[int]:
        """Return the places of the columns that have the companions of an earlier screening."""
        return screened_columns(self.columns)

    def cells(self, index: int) -> list[str]:
        """Return the cells of a column that are not blank, nor formulas that were never calculated."""
        return [row[index] for row in self.rows if index < len(row) and _is_filled(row[index])]

    def pairs(self, index: int, country: int | None, region: str | None) -> list[tuple[str, str | None]]:
        """Return the same cells, each with the region of its row."""
        return [
            (row[index], region_of(row, country, region))
            for row in self.rows
            if index < len(row) and _is_filled(row[index])
        ]


def find_phones(
    sample: Sample, country: int | None, region: str | None, *, skip: Collection[int] = ()
) -> tuple[FoundColumn, ...]:
    """Return the phone columns in order, none of those to ``skip``.

    ``country`` is the place of the country column, ``region`` the ISO 3166 region of rows without a country. A column
    whose header names phones, or that was screened before, counts unless fewer than three in ten of its cells have
    enough digits. Any other counts when seven in ten read as numbers and most are written as people write numbers, or
    when nearly all of at least five read as numbers.
    """
    found = (_judge_phone(sample, index, country, region) for index in range(len(sample.columns)) if index not in skip)
    return tuple(column for column in found if column)


def _judge_phone(sample: Sample, index: int, country: int | None, region: str | None) -> FoundColumn | None:
    """Return the column where it holds phone numbers, or None."""
    name = sample.columns[index]
    if is_companion(name) or (headers.names_phone_property(name) and not names_numbers(sample, index)):
        return None

    pairs = sample.pairs(index, country, region)
    by_header = headers.names_phone(name) or index in sample.screened
    by_header |= names("phone_words", name) and names_numbers(sample, index)
    with_digits = _share([4 < _digits(text) < 40 and not _DATE.fullmatch(text) for text, _ in pairs])
    if with_digits < 0.3 and len(pairs) >= (_FEW if by_header else 1):
        return None

    numbers = _share([looks_like_number(text) and _is_number(text, home) for text, home in pairs])
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
    "Ms") look the same. A header counts for more than any content; then the column with most countries counts. Where no
    other is there, a column whose header leaves no doubt counts also where its countries cannot be read.
    """
    places = range(len(sample.columns))
    ranked = [found for index in places if (found := _judge_country(sample, index, by_header=True))]
    if not ranked:
        ranked = [found for index in places if (found := _judge_country(sample, index, by_header=False))]
    return max(ranked, key=itemgetter(0))[1] if ranked else None


def _judge_country(sample: Sample, index: int, *, by_header: bool) -> tuple[float, FoundColumn] | None:
    """Return the column with its rank where it holds countries, or None."""
    name = sample.columns[index]
    if is_companion(name) or headers.names_permission(name):
        return None
    if not (headers.may_name_country(name) if by_header else not headers.excludes_country(name)):
        return None

    cells = sample.cells(index)
    share = _share([read_region(cell) is not None and (by_header or len(cell.strip()) > 3) for cell in cells])
    leaves_doubt = not headers.names_country(name) or _share([_digits(cell) > 0 for cell in cells]) > 0.5
    if by_header and cells and share < 0.5 and leaves_doubt:
        return None
    if not by_header and (len(cells) < _FEW or share < 0.95):
        return None

    rank = share * len(cells) / max(1, len(sample.rows))
    return rank, FoundColumn(index, name, "header" if by_header else "content", share)


def find_permissions(sample: Sample, *, skip: Collection[int] = ()) -> tuple[FoundColumn, ...]:
    """Return the columns whose header says who must not, or who may, be called; none of those to ``skip``.

    Whatever their cells say, for an opt-out that nobody can read is one all the same. Left out are counts and numbers
    under a "no" that stands for "number", and the dates of checks.
    """
    found = []
    for index, name in enumerate(sample.columns):
        if index in skip or is_companion(name) or not headers.names_permission(name):
            continue
        if not names_numbers(sample, index) and not is_check_date(sample, index):
            share = _share([bool(cell) for cell in sample.cells(index)])
            found.append(FoundColumn(index, name, "header", share, inverse=headers.names_consent(name)))
    return tuple(found)


def names_numbers(sample: Sample, index: int) -> bool:
    """Return whether the "no" of a header such as *Phone no* or *No calls* stands for "number", going by the cells."""
    if not names("maybe_number", sample.columns[index]):
        return False
    cells = [cell.strip() for cell in sample.cells(index)]
    figures = [cell for cell in cells if looks_like_number(cell) or (cell.isdecimal() and cell not in ("0", "1"))]
    return len(figures) * 2 > len(cells)


def is_check_date(sample: Sample, index: int) -> bool:
    """Return whether a column holds the days on which opt-outs were looked up, which are no opt-outs."""
    cells = sample.cells(index)
    return names("checks", sample.columns[index]) and bool(cells) and all(map(is_date, cells))


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
    raise UsageError(
        f"There is no column {wanted!r}.",
        f"{hint}The columns are: {list_columns(columns)}. If these are none, name the row with --header-row.",
    )


def list_columns(columns: Sequence[str]) -> str:
    """Return the names for a message, at most twenty."""
    more = f", and {len(columns) - 20} more" if len(columns) > 20 else ""
    return ", ".join(columns[:20]) + more


def looks_like_number(text: str) -> bool:
    """Return whether a text has the digits of a phone number and little else, and is no date."""
    count = _digits(text)
    return 6 < count < 40 and count * 2 > len(text.strip()) and not _DATE.fullmatch(text)


def _is_filled(text: str) -> bool:
    return bool(text) and not text.isspace() and text != UNCALCULATED


def _digits(text: str) -> int:
    return len(_DIGIT.findall(text[:200]))


def _is_number(text: str, region: str | None) -> bool:
    return read_number(text, region).validity is Validity.VALID


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
