"""Which columns hold phone numbers, countries and opt-outs, judged by their headers and a sample of their cells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.core.errors import UsageError
from ringfence.core.numbers import Validity, read_number
from ringfence.core.numbers.regions import read_region

from . import words
from .companions import is_companion, was_screened
from .optouts import reads_as_flag

_DIGIT = re.compile(r"\d")
_SHAPE = re.compile(r"^\s*(\+|00)|[\s().-]")
_EPOCH = re.compile(r"1[4-9]\d{8}(\d{3})?")
_FEW = 5
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?\s*")


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column and why it was taken: ``by`` is "named", "header" or "content"; ``share`` of its cells fit, 0 to 1."""

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
    """Return the ISO region of a row: its country cell where that can be read, else the given one."""
    if country is None or country >= len(row):
        return region
    return read_region(row[country]) or region


def holds_numbers(row: Sequence[str], region: str | None) -> bool:
    """Return whether a first row is data: it holds numbers, and no cell of it reads like a header of ours."""
    if any(words.says_phone(c) or words.says_country(c) or words.says_opt_out(c) for c in row if _digits(c) < 5):
        return False
    return any(
        _looks_like_number(cell) or read_number(cell, region).e164 is not None for cell in row if _digits(cell) > 4
    )


def find_phones(sample: Sample, country: int | None, region: str | None) -> tuple[FoundColumn, ...]:
    """Return the phone columns in order.

    A column whose header says phone, or that was screened before, is taken unless fewer than three in ten of its cells
    carry enough digits; any other when seven in ten read as numbers and most are written as people write numbers, or
    when nearly all of a good few read as numbers.
    """
    found = []
    for index, name in enumerate(sample.columns):
        if is_companion(name) or words.is_about_phone(name):
            continue
        pairs = sample.pairs(index, country, region)
        by = "header" if words.says_phone(name) or was_screened(sample.columns, name) else "content"
        digits = _share([4 < _digits(text) < 40 and not _DATE.fullmatch(text) for text, _ in pairs])
        if digits < 0.3 and len(pairs) >= (_FEW if by == "header" else 1):
            continue
        if by == "content" and (words.denies_phone(name) or all(_EPOCH.fullmatch(text) for text, _ in pairs)):
            continue
        share = _share([_looks_like_number(text) and _is_number(text, home) for text, home in pairs])
        shaped = _share([_SHAPE.search(text) is not None for text, _ in pairs])
        if by == "header" or (share >= 0.7 and shaped >= 0.5) or (share >= 0.9 and len(pairs) >= _FEW):
            found.append(FoundColumn(index, name, by, share))
    return tuple(found)


def find_country(sample: Sample) -> FoundColumn | None:
    """Return the column that best tells the country of a row.

    Two- and three-letter codes count only under a header that says country: states, languages and salutations ("Mr",
    "Ms") look the same.
    """
    best: tuple[float, FoundColumn] | None = None
    for index, name in enumerate(sample.columns):
        by_header = words.says_country(name)
        if is_companion(name) or words.says_opt_out(name) or (words.denies_country(name) and not by_header):
            continue
        cells = sample.cells(index)
        share = _share([read_region(cell) is not None and (by_header or len(cell.strip()) > 3) for cell in cells])
        if cells and (share < 0.5 if by_header else share < 0.95 or len(cells) < _FEW):
            continue
        if not cells and not by_header:
            continue
        filled = share * len(cells) / max(1, len(sample.rows)) + by_header
        if best is None or filled > best[0]:
            best = filled, FoundColumn(index, name, "header" if by_header else "content", share)
    return best[1] if best else None


def find_opt_outs(sample: Sample) -> tuple[FoundColumn, ...]:
    """Return the columns whose header announces opt-outs and whose cells say yes or no."""
    found = []
    for index, name in enumerate(sample.columns):
        if words.says_opt_out(name) and not is_companion(name):
            cells = sample.cells(index)
            share = _share([reads_as_flag(cell) for cell in cells])
            if share >= 0.5 or not cells:
                found.append(FoundColumn(index, name, "header", share))
    return tuple(found)


def find_named(columns: Sequence[str], name: str) -> list[int]:
    """Return the columns of that name: exactly, else in any case, else ``column_N`` by place.

    Raises UsageError that names the columns there are when none fits.
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
