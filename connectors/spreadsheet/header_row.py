"""Which of the first rows of a table is its header; titles and blank rows may stand above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.core.numbers import Validity, read_number

from . import headers
from .columns import looks_like_number

SEARCHED_ROWS = 30
"""So many rows are searched for a header."""

_MANY_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Row:
    """What tells a header from titles and data: how many cells are filled, how many name columns, and any numbers."""

    filled: int
    named: int
    is_data: bool


def find_header(rows: Sequence[Sequence[str]], region: str | None) -> int | None:
    """Return the place of the header among the first rows, or None where there is none.

    Titles are narrow: they fill less than half of the columns that most rows have. The header is the first row that is
    no title, unless that row holds numbers. A wider row with names of phone, country or opt-out columns comes before a
    narrower one without. ``region`` is the ISO 3166 region that reads national numbers.
    """
    seen = [_look_at(row, region) for row in rows]
    needed = max(min(2, max((row.filled for row in seen), default=0)), (_usual(seen) + 1) // 2)

    best: int | None = None
    for place, row in enumerate(seen):
        is_wide = row.filled >= needed
        if row.is_data:
            if is_wide or not _header_follows(seen[place + 1 :], needed):
                return _above(seen, place) if best is None else best
        elif row.filled and is_wide and (best is None or _is_better(seen, best, place)):
            best = place
    return _first_text(seen) if best is None else best


def _look_at(row: Sequence[str], region: str | None) -> _Row:
    named = sum(map(_is_header, row))
    return _Row(
        filled=sum(bool(cell.strip()) for cell in row),
        named=named,
        is_data=_holds_numbers(row, region, has_names=named > 0),
    )


def _above(seen: Sequence[_Row], place: int) -> int | None:
    """Return the row right above the first row of data, where it is filled: a header with few names."""
    above = seen[place - 1] if place else None
    return place - 1 if above and above.filled and not above.is_data else None


def _first_text(seen: Sequence[_Row]) -> int | None:
    """Return the first row that is neither blank nor data."""
    return next((place for place, row in enumerate(seen) if row.filled and not row.is_data), None)


def _is_better(seen: Sequence[_Row], best: int, place: int) -> bool:
    """Return whether a row is the header rather than the one found before, which then was a title."""
    if not seen[place].named:
        return False
    if seen[place].filled > seen[best].filled:
        return not seen[best].named
    if max(row.filled for row in seen) > 1:
        return False

    # In a table of one column a title is as wide as the header.
    is_set_apart = any(not row.filled for row in seen[best + 1 : place])
    is_on_data = place + 1 < len(seen) and seen[place + 1].is_data
    return is_set_apart or (is_on_data and not seen[best].named)


def _usual(seen: Sequence[_Row]) -> int:
    """Return how many cells most rows fill; the widest of equals, blank rows aside."""
    counts = Counter(row.filled for row in seen if row.filled)
    return max(counts, key=lambda count: (counts[count], count), default=0)


def _header_follows(below: Sequence[_Row], needed: int) -> bool:
    """Return whether a row further down reads like a header, so that digits in a narrow row are a title's."""
    return any(row.named and row.filled >= needed and not row.is_data for row in below)


def _holds_numbers(row: Sequence[str], region: str | None, *, has_names: bool) -> bool:
    """Return whether a row is data: it holds a phone number.

    Beside cells that name columns only a valid number counts, for a header may hold digits too.
    """
    with_digits = [cell for cell in row if sum(map(str.isdecimal, cell[:200])) > _MANY_DIGITS]
    if any(read_number(cell, region).validity is Validity.VALID for cell in with_digits):
        return True
    if has_names:
        return False
    return any(looks_like_number(cell) or read_number(cell, region).e164 is not None for cell in with_digits)


def _is_header(cell: str) -> bool:
    if not cell.strip() or sum(map(str.isdecimal, cell[:200])) > _MANY_DIGITS:
        return False
    return headers.names_phone(cell) or headers.names_country(cell) or headers.names_permission(cell)
