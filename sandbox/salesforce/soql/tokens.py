"""SOQL text -> words, signs and literals, and the refusals that point into the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ApiError

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `at` is its offset in the text. Kinds: string, moment, date, number, word, sign, end."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The text in capitals, as keywords are compared."""
        return self.text.upper()


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of a text, the last one of the kind `end`; raises ApiError MALFORMED_QUERY."""
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].lstrip()
            raise malformed(f"unexpected token: '{rest[:1]}'")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()

    found.append(Token("end", "<EOF>", end))
    return found


def malformed(message: str) -> ApiError:
    """Return the refusal of a query that is no SOQL."""
    return ApiError(400, "MALFORMED_QUERY", message)


def caret(text: str, at: int) -> str:
    """Return the picture that precedes a message: the query around the place, a caret below it, row and column."""
    row = text.count("\n", 0, at) + 1
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].split("\n", 1)[0]
    column = at - line_start
    left = max(0, column - 60)
    return f"\n{line[left : column + 60]}\n{' ' * (column - left)}^\nERROR at Row:{row}:Column:{column + 1}\n"
