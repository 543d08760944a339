"""Formulas: texts that a spreadsheet would take for one, made harmless in a CSV, and those that nobody calculated."""

from __future__ import annotations

import re

UNCALCULATED = "(formula never calculated)"
"""What a cell says whose formula no program has calculated: nobody knows what it holds."""

# With full-width signs, which East Asian versions of Excel take for formulas too.
_FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width signs are what is looked for
_PHONE_LIKE = re.compile(r"[+-][0-9 ().\-/]*")


def make_harmless(text: str) -> str:
    """Return a text with an apostrophe in front where a spreadsheet would read it as a formula.

    Numbers as people write them, with a plus, digits and their punctuation, stay as they are: they call no function,
    and whoever reads ``+442079460018`` from a file needs it as it is.
    """
    start = text.lstrip(" \u00a0")[:1]
    if start not in _FORMULA_SIGNS or not start or _PHONE_LIKE.fullmatch(text):
        return text
    return "'" + text
