"""Record ids: 15 case-sensitive characters, or 18 with a check suffix (REST guide, "Working with Record IDs")."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")


def full_id(text: str) -> str | None:
    """Return the 18-character form of a 15- or 18-character id, or None for a text that is no id."""
    if not _SHAPE.match(text):
        return None
    full = text[:15] + _suffix(text[:15])
    return full if len(text) == 15 or text == full else None


def _suffix(short: str) -> str:
    return "".join(_check_letter(short[at : at + 5]) for at in (0, 5, 10))


def _check_letter(five: str) -> str:
    """Return the check letter of five characters: its bits say which of them are capitals."""
    return _SUFFIX[sum(1 << place for place, char in enumerate(five) if "A" <= char <= "Z")]


def scattered_ids(prefix: str) -> Iterator[str]:
    """Yield ids of one object that do not rise in time, as in an org that was moved or filled from several places."""
    higher, lower = new_ids(prefix, "8a1"), new_ids(prefix)
    while True:
        yield next(higher)
        yield next(lower)


def new_ids(prefix: str, pod: str = "5i0", after: int = 0) -> Iterator[str]:
    """Yield 18-character ids of one object in ascending order; `prefix` is the object's three-letter key.

    So many ids as `after` says are left out before the first one.
    """
    number = after
    while True:
        number += 1
        digits, rest = "", number
        for _ in range(9):
            rest, digit = divmod(rest, 62)
            digits = _DIGITS[digit] + digits
        short = prefix + pod + digits
        yield short + _suffix(short)
