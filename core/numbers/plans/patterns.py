"""Parses the patterns of the metadata into trees.

The metadata uses a small part of regular expressions: digits, classes, `\\d`, groups, `|`, `?` and `{n,m}`. A pattern
with anything else raises `UnsupportedPatternError`, and the caller falls back to `phonenumbers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = "0123456789"
_SIGN = re.compile(r"\\d|\[[0-9-]+\]|\((?:\?:)?|[|)]|(?:\?|\{[0-9,]+\})(?![?+*{])|[0-9]|(?P<other>.)", re.DOTALL)


class UnsupportedPatternError(ValueError):
    """A pattern uses a part of regular expressions that is not supported."""


@dataclass(slots=True)
class Item:
    """One digit (a bit for each that fits) or alternatives, and how often it may be repeated."""

    what: int | Branches
    least: int = 1
    most: int = 1


Branches = list[list[Item]]


def parse(pattern: str) -> Branches:
    """Return the alternatives of a pattern, each as its items in order. Raises UnsupportedPatternError."""
    signs = [match[0] for match in _SIGN.finditer(pattern) if not _refuse(match)]
    branches = _parse(signs)
    if signs:
        raise UnsupportedPatternError(pattern)
    return branches


def _refuse(match: re.Match[str]) -> bool:
    if match["other"]:
        raise UnsupportedPatternError(match.string)
    return False


def _parse(signs: list[str]) -> Branches:
    """Parse alternatives, and take their signs off the list up to a closing bracket."""
    branches: Branches = [[]]
    while signs and signs[0] != ")":
        sign = signs.pop(0)

        if sign == "|":
            branches.append([])
        elif sign == "?":
            branches[-1][-1].least = 0
        elif sign[0] == "{":
            least, _, most = sign[1:-1].partition(",")
            branches[-1][-1].least, branches[-1][-1].most = int(least), int(most or least)
        elif sign[0] == "(":
            branches[-1].append(Item(_parse(signs)))
            signs.pop(0)
        else:
            branches[-1].append(Item(_bits(sign)))
    return branches


def _bits(sign: str) -> int:
    matching = re.compile(sign)
    return sum(1 << int(digit) for digit in DIGITS if matching.fullmatch(digit))
