"""Figures as Excel shows them under their number format: ``\\+0`` puts a plus before a number, ``00000`` its zeros.

Only formats of whole digits and fixed texts matter to phone numbers. Under any other (decimals, thousands, per cent,
scientific notation, dates) a figure reads as it was typed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[([^\]]*)\]|(.)', re.DOTALL)
_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[]|["\[\\])*', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip
_DIGITS = frozenset("0#?")
_UNTOUCHED = frozenset("$+-/():!^&'~{}<>= ")


def show_figure(value: int, number_format: str | None) -> str:
    """Return a whole figure as Excel shows it, or as it was typed where its format is none of digits and texts."""
    tokens = _parse(number_format or "General", value)
    if tokens is None:
        return str(value)
    return _fill(abs(value), tokens)


@lru_cache(maxsize=1024)
def _sections(number_format: str) -> tuple[str, ...]:
    return tuple(found[0] for found in _SECTIONS.finditer(number_format) if found[0])


def _parse(number_format: str, value: int) -> list[tuple[bool, str]] | None:
    """Return the section of a format that shows the value as (is a digit, sign) pairs, or None where it cannot."""
    section = _choose(_sections(number_format), value)
    if section is None:
        return None

    tokens: list[tuple[bool, str]] = []
    for quoted, escaped, currency, _, plain in _TOKEN.findall(section):
        if plain in _DIGITS and plain:
            tokens.append((True, plain))
        elif plain and plain not in _UNTOUCHED:
            return None
        else:
            tokens.extend((False, sign) for sign in quoted or escaped or currency or plain)
    return tokens if any(is_digit for is_digit, _ in tokens) else None


def _choose(sections: tuple[str, ...], value: int) -> str | None:
    """Return the section that applies: the first whose condition holds, else by sign; negative figures are left."""
    for section in sections:
        if condition := _CONDITION.search(section.partition("]")[0]) if section.startswith("[") else None:
            if _COMPARE[condition[1]](value, float(condition[2])):
                return section
        elif value >= 0:
            return section
    return None


def _fill(value: int, tokens: list[tuple[bool, str]]) -> str:
    """Return the digits of the value in the places of a format; those that do not fit stand in the first place."""
    digits = list(str(value))
    places = sum(is_digit for is_digit, _ in tokens)
    return "".join(reversed(list(_places(digits, tokens, places))))


def _places(digits: list[str], tokens: list[tuple[bool, str]], places: int) -> Iterator[str]:
    """Yield what stands in each place, the last first; uses up ``digits``."""
    for is_digit, sign in reversed(tokens):
        if not is_digit:
            yield sign
            continue
        places -= 1
        if digits:
            yield digits.pop()
        elif sign == "0":
            yield "0"
        if places == 0:
            while digits:
                yield digits.pop()
