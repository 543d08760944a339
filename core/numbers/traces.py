"""Finds a number again in texts, however it is written: with its calling code or without, with any signs between."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from .plans.numbering_plan import leading_calling_code

_FEW_DIGITS = 7
"""A national number of fewer digits may be a part of many others: then it has to be all of them."""


class NumberTraces:
    """Tells which texts hold one E.164 number."""

    def __init__(self, e164: str) -> None:
        self._whole = e164.lstrip("+")
        self._national = national_part(e164)

    def are_in(self, text: str) -> bool:
        """Return whether the text holds the number; one that holds its digits in a row holds it."""
        digits = find_digits(text)
        if self._whole in digits:
            return True
        if len(self._national) >= _FEW_DIGITS:
            return self._national in digits
        return self._national in national_spellings(digits)


def national_part(e164: str) -> str:
    """Return the digits of an E.164 number behind its calling code."""
    digits = e164.lstrip("+")
    return digits[len(leading_calling_code(digits)) :]


def find_digits(text: str) -> str:
    """Return the digits of a text, those of any script as ASCII ones."""
    if text.isascii():
        return "".join(filter(str.isdigit, text))
    return "".join(str(unicodedata.digit(each)) for each in text if unicodedata.digit(each, None) is not None)


def national_spellings(digits: str) -> Iterator[str]:
    """Yield what digits may mean as a national number: as they are, and without a prefix for dialling."""
    yield digits
    yield digits[1:]
    yield digits.lstrip("0")
