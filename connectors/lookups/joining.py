"""Joining the items of a batch's answer to the numbers that were asked about, however the provider writes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .words import digits_of

logger = logging.getLogger(__name__)

LEAST_DIGITS = 9
"""Digits that tell a number apart where the provider leaves its country code out."""


def is_another(asked: str, raw: object) -> bool:
    """Return whether an answer names another number than the E.164 one asked about, however it writes it.

    One that names none is not about another. What stands before the last digits depends on from where one dials.
    """
    named = digits_of(raw).lstrip("0") if isinstance(raw, (str, int)) else ""
    return bool(named) and not asked.endswith(named[-LEAST_DIGITS:])


class Numbers:
    """The numbers of one request, found again by their digits. ``title`` is the provider's, for the log."""

    def __init__(self, title: str, numbers: Sequence[str]) -> None:
        self._title = title
        self._by_digits = {digits_of(number): number for number in numbers}
        # Searched through number by number, a file of ten thousand in the formats of their countries took a minute.
        self._by_ending: dict[str, list[str]] = {}
        for digits in self._by_digits:
            self._by_ending.setdefault(digits[-LEAST_DIGITS:], []).append(digits)

    def find(self, raw: object) -> str | None:
        """Return the E.164 number that is meant; None for one that was not asked about."""
        digits = digits_of(raw).lstrip("0")
        if (number := self._by_digits.get(digits)) is not None or len(digits) < LEAST_DIGITS:
            return number
        ending = [asked for asked in self._by_ending.get(digits[-LEAST_DIGITS:], ()) if asked.endswith(digits)]
        return self._by_digits[ending[0]] if len(ending) == 1 else None

    def join(self, items: Iterable[Any], field: str) -> dict[str, Mapping[str, Any]]:
        """Return each item by the number that stands in its ``field``; log how many are about other numbers."""
        found: dict[str, Mapping[str, Any]] = {}
        strangers = 0
        for item in items:
            number = self.find(item.get(field)) if isinstance(item, dict) else None
            if number is None:
                strangers += 1
            else:
                found[number] = item
        self.tell_strangers(strangers)
        return found

    def tell_strangers(self, count: int) -> None:
        """Log how many items of an answer are about nothing that was asked."""
        if count:
            logger.warning(
                "%s answered about %d numbers that it was not asked about; they are ignored.", self._title, count
            )
