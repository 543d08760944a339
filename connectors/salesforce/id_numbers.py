"""Record ids as numbers: 15 characters of base 62 that sort as they are written, and three more that are a check."""

from __future__ import annotations

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_SHORT = 15
"""Characters of an id that count; the other three of a long one are a check."""


def read_id(record_id: str) -> int:
    """Return an id of 15 or 18 characters as a number. Raises KeyError for another character."""
    number = 0
    for character in record_id[:_SHORT]:
        number = number * len(_DIGITS) + _VALUES[character]
    return number


def write_id(number: int) -> str:
    """Return the id of 15 characters."""
    text = ""
    for _ in range(_SHORT):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
