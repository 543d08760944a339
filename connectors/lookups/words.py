"""Reading a provider's words: by its table, and where that does not have one, as unknown with the raw value kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ringfence.core.model.axes import Ported
from ringfence.core.numbers import mask_numbers

Ours = TypeVar("Ours")

LONGEST_RAW = 60
"""Signs of a raw value that are kept."""


LONGEST_TEXT = 200
"""Signs that are kept of a text that a provider tells, such as the name of a carrier."""

_LONGEST_SEARCHED = 1000


def fold(raw: object) -> str:
    """Return a provider's word as its table has it: in lower case, without space around it; empty for none."""
    return as_text(raw).strip().casefold()


def quote_raw(raw: object) -> str:
    """Return a value as it came, for a person: short, and with every number in it masked."""
    if isinstance(raw, (dict, list)):
        return "an object" if isinstance(raw, dict) else "a list"
    return mask_numbers(str(raw)[:_LONGEST_SEARCHED])[:LONGEST_RAW]


def printable(text: str) -> str:
    """Return a text without what no terminal, file or database takes, such as half a sign, and not too long."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:LONGEST_TEXT])


class Words:
    """The words of one body, read axis by axis; ``unrecognised`` holds those that no table has."""

    def __init__(self) -> None:
        self.unrecognised: list[tuple[str, str]] = []

    def read(self, axis: str, raw: Any, table: Mapping[str, Ours], unknown: Ours) -> Ours:
        """Return what a raw value means by a table of folded words; ``unknown`` for none and for one it lacks."""
        if isinstance(raw, (dict, list)) or not (word := fold(raw)):
            return unknown
        if word not in table:
            self.unrecognised.append((axis, quote_raw(raw)))
        return table.get(word, unknown)


def digits_of(number: object) -> str:
    """Return the digits of a number however it is written, so that answers find the number that was asked about."""
    return "".join(sign for sign in str(number) if sign.isdigit())


def as_text(raw: object) -> str:
    """Return a value as text; empty for none, and for a list or an object, which is no text."""
    return "" if raw is None or isinstance(raw, (dict, list)) else str(raw)


def as_reference(raw: object) -> str:
    """Return the name of an order, a text or a whole number; empty for anything else, by which none is found again."""
    return str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""


def as_money(raw: object) -> float | None:
    """Return an amount; None for what is none."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        amount = float(raw)
    except ValueError:
        return None
    return amount if 0 <= amount < 1000 else None


def ported_of(raw: object) -> Ported:
    """Return what a JSON truth value says of porting."""
    if raw is True:
        return Ported.YES
    return Ported.NO if raw is False else Ported.UNKNOWN
