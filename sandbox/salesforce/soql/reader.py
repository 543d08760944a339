"""What the parsers of queries and of conditions share: going through tokens one by one."""

from __future__ import annotations

import re

from ..errors import ApiError
from .tokens import Token, malformed, read_tokens
from .tree import AGGREGATES, Constant, Term

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
DATE_FUNCTIONS = frozenset(
    {"CALENDAR_YEAR", "CALENDAR_QUARTER", "CALENDAR_MONTH", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "HOUR_IN_DAY"}
    | {"DAY_ONLY", "FISCAL_YEAR", "FISCAL_QUARTER", "FISCAL_MONTH"}
)
_FUNCTIONS = AGGREGATES | DATE_FUNCTIONS | {"TOLABEL", "FIELDS"}


class TokenReader:
    """A place in the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = read_tokens(text)
        self._next = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token that comes."""
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Return the next token and go on behind it."""
        token = self.peek()
        self._next += 1
        return token

    def take(self, word: str) -> bool:
        """Go on behind a keyword or sign, if it comes; return whether it does."""
        token = self.peek()
        if token.kind not in ("word", "sign") or token.word != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str) -> None:
        """Go on behind a keyword or sign; raises ApiError for anything else."""
        if not self.take(word):
            raise self.unexpected()

    def name(self) -> Token:
        """Return a name and go on behind it; raises ApiError for anything else."""
        if self.peek().kind != "word":
            raise self.unexpected()
        return self.advance()

    def term(self) -> Term:
        """Return a field, or a function of one."""
        name = self.name()
        if self.peek().text != "(" or name.word not in _FUNCTIONS:
            return Term(name)

        self.advance()
        if name.word == "COUNT" and self.take(")"):
            return Term(Token("word", "", name.at), "COUNT")
        inner = self.name()
        self.expect(")")
        return Term(inner, name.word)

    def number(self) -> int:
        """Return a count; raises ApiError for anything else."""
        if self.peek().kind != "number" or not self.peek().text.isdigit():
            raise self.unexpected()
        return int(self.advance().text)

    def constant(self) -> Constant:
        """Return a literal; raises ApiError for anything else."""
        token = self.peek()
        kind = token.kind
        if kind == "word":
            kind = {"TRUE": "boolean", "FALSE": "boolean", "NULL": "null"}.get(token.word, "range")
        if kind in ("sign", "end"):
            raise self.unexpected()

        self.advance()
        if kind == "string":
            return _string(token.text[1:-1])
        return Constant(kind, token.text.lower() if kind == "boolean" else token.text)

    def unexpected(self, back: int = 0) -> ApiError:
        """Return the refusal of the next token, or of one before it."""
        self._next -= back
        token = self.peek()
        if token.kind == "end":
            return malformed("unexpected end of query")
        return malformed(f"unexpected token: {token.text}" if self._next == 0 else f"unexpected token: '{token.text}'")


def _string(raw: str) -> Constant:
    plain, pattern, at = [], [], 0
    while at < len(raw):
        char = raw[at]
        if char == "\\":
            at += 1
            code = raw[at]
            if code not in "nrtbfNRTBF\"'\\_%":
                raise malformed(f"Illegal character sequence '\\{code}' in SOQL string")
            char = _ESCAPES.get(code.lower(), code)
            pattern.append(re.escape(char))
        else:
            pattern.append({"%": ".*", "_": "."}.get(char) or re.escape(char))

        plain.append(char)
        at += 1

    return Constant("string", "".join(plain), "".join(pattern))
