"""Which of the first rows of a table is its header; titles and blank rows may stand above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ringfence.core.numbers import Validity, read_number

from . import headers
from .columns import looks_like_number

SEARCHED_ROWS = 30
"""So many rows are searched for a header."""

_MANY_DIGITS = 4


def find_header(rows: Sequence[Sequence[str]], region: str | None) -> int | None:
    """Return the place of the header among the first rows, or None where there is none.

    Titles are narrow: they fill less than half of the columns that most rows have. The header is the first row that is
    no title, unless that row holds numbers. A wider row with names of phone, country or opt-out columns comes before a
    narrower one without. ``region`` is the ISO 3166 region that reads national numbers.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    needed = max(min(2, max(filled, default=0)), (_usual(filled) + 1) // 2)
    named = [sum(_is_header(cell) for cell in row) for row in rows]

    best: int | None = None
    for place, row in enumerate(rows):
        is_wide = filled[place] >= needed
        if _holds_numbers(row, region, has_names=bool(named[place])):
            if is_wide or not _names_follow(named, filled, place, needed):
                return _above(filled, place) if best is None else best
        elif filled[place] and is_wide and (best is None or _is_better(rows, filled, named, best, place, region)):
            best = place
    return next((place for place, count in enumerate(filled) if count), None) if best is None else best


def _above(filled: Sequence[int], place: int) -> int | None:
    """Return the row right above the first row of data, where it is filled: a header with few names."""
    return place - 1 if place and filled[place - 1] else None


def _is_better(
    rows: Sequence[Sequence[str]],
    filled: Sequence[int],
    named: Sequence[int],
    best: int,
    place: int,
    region: str | None,
) -> bool:
    """Return whether a row is the header rather than the one found before, which then was a title."""
    if not named[place]:
        return False
    if filled[place] > filled[best]:
        return not named[best]
    if max(filled) > 1:
        return False

    # In a table of one column a title is as wide as the header.
    is_set_apart = any(not count for count in filled[best + 1 : place])
    is_on_data = place + 1 < len(rows) and _holds_numbers(rows[place + 1], region, has_names=bool(named[place + 1]))
    return is_set_apart or (is_on_data and not named[best])


def _usual(filled: Sequence[int]) -> int:
    """Return how many cells most rows fill; the widest of equals, blank rows aside."""
    counts = Counter(count for count in filled if count)
    return max(counts, key=lambda count: (counts[count], count), default=0)


def _names_follow(named: Sequence[int], filled: Sequence[int], place: int, needed: int) -> bool:
    """Return whether a row further down reads like a header, so that digits in a narrow row are a title's."""
    return any(names and count >= needed for names, count in zip(named[place + 1 :], filled[place + 1 :], strict=True))


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
