"""Reading a provider's words: by its table, and where that does not have one, as unknown with the raw value kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ringfence.core.model.axes import Ported
from ringfence.core.numbers import mask_numbers

Ours = TypeVar("Ours")

LONGEST_RAW = 60
"""Signs of a raw value that are kept."""


def fold(raw: object) -> str:
    """Return a provider's word as its table has it: in lower case, without space around it; empty for none."""
    return "" if raw is None else str(raw).strip().casefold()


class Words:
    """The words of one body, read axis by axis; ``unrecognised`` holds those that no table has."""

    def __init__(self) -> None:
        self.unrecognised: list[tuple[str, str]] = []

    def read(self, axis: str, raw: Any, table: Mapping[str, Ours], unknown: Ours) -> Ours:
        """Return what a raw value means by a table of folded words; ``unknown`` for none and for one it lacks."""
        if isinstance(raw, (dict, list)) or not (word := fold(raw)):
            return unknown
        if word not in table:
            self.unrecognised.append((axis, mask_numbers(str(raw))[:LONGEST_RAW]))
        return table.get(word, unknown)


def digits_of(number: object) -> str:
    """Return the digits of a number however it is written, so that answers find the number that was asked about."""
    return "".join(sign for sign in str(number) if sign.isdigit())


def as_text(raw: object) -> str:
    """Return a value as text, empty for none."""
    return "" if raw is None else str(raw)


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
