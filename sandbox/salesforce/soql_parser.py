"""SOQL text -> query tree: one object, its fields, WHERE, ORDER BY, LIMIT, OFFSET (SOQL and SOSL Reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from .errors import ApiError

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SIGNS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
MAX_CHARACTERS = 100_000
MAX_OFFSET = 2_000


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `at` is its offset in the text. Kinds: string, moment, date, number, word, sign, end."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A value in a condition; `kind` is string, moment, date, number, boolean or null, `text` is unescaped."""

    kind: str
    text: str
    like: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator values`; operators: =, !=, <, <=, >, >=, LIKE, IN, NOT IN, INCLUDES."""

    name: Token
    operator: str
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR, or one condition that is negated."""

    joint: Literal["AND", "OR", "NOT"]
    parts: tuple[Condition, ...]


Condition = Comparison | Group


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    name: Token
    descending: bool
    nulls_first: bool


@dataclass(slots=True)
class Query:
    """A parsed query. `count` is `rows` for COUNT(), `field` for COUNT(Id) under the name `alias`, else None."""

    text: str
    names: list[Token] = field(default_factory=list)
    count: Literal["rows", "field"] | None = None
    alias: str = "expr0"
    source: Token = field(default_factory=lambda: Token("end", "", 0))
    where: Condition | None = None
    order: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0


def parse_query(text: str) -> Query:
    """Return the tree of a SOQL text; raises ApiError MALFORMED_QUERY or NUMBER_OUTSIDE_VALID_RANGE."""
    if len(text) > MAX_CHARACTERS:
        raise malformed(f"SOQL statements cannot be longer than {MAX_CHARACTERS} characters.")
    return _Parser(text).query()


def malformed(message: str) -> ApiError:
    """Return the refusal of a query that is no SOQL."""
    return ApiError(400, "MALFORMED_QUERY", message)


def _tokens(text: str) -> list[Token]:
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


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._query = Query(text)

    def query(self) -> Query:
        query = self._query
        self._expect("SELECT")
        self._select()
        self._expect("FROM")
        query.source = self._word()

        if self._take("WHERE"):
            query.where = self._conditions()

        if self._take("ORDER"):
            self._expect("BY")
            query.order = [self._order()]
            while self._take(","):
                query.order.append(self._order())

        if self._take("LIMIT"):
            query.limit = self._count()

        if self._take("OFFSET"):
            query.offset = self._count()
            if query.offset > MAX_OFFSET:
                text = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
                raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", text)

        if self._peek().kind != "end":
            raise self._unexpected()

        return query

    def _select(self) -> None:
        query = self._query
        if self._peek().text.upper() == "COUNT" and self._peek(1).text == "(":
            self._next += 2
            query.count = "rows"
            if not self._take(")"):
                query.count = "field"
                query.names.append(self._word())
                self._expect(")")
                if self._peek().text.upper() != "FROM":
                    query.alias = self._word().text

            return

        query.names.append(self._word())

        while self._take(","):
            query.names.append(self._word())

    def _order(self) -> Order:
        name = self._word()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_first = True
        if self._take("NULLS"):
            nulls_first = self._take("FIRST")
            if not nulls_first:
                self._expect("LAST")
        return Order(name, descending, nulls_first)

    def _conditions(self) -> Condition:
        first = self._condition()
        joint = self._peek().text.upper()
        if joint not in ("AND", "OR"):
            return first

        parts = [first]
        while self._take(joint):
            parts.append(self._condition())

        # SOQL wants brackets where AND and OR meet.
        if self._peek().text.upper() in ("AND", "OR"):
            raise self._unexpected()

        return Group("AND" if joint == "AND" else "OR", tuple(parts))

    def _condition(self) -> Condition:
        if self._take("NOT"):
            return Group("NOT", (self._condition(),))
        if self._take("("):
            inner = self._conditions()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        name = self._word()
        token = self._advance()
        word = token.text.upper()
        if token.kind == "sign" and word in _SIGNS:
            return Comparison(name, "!=" if word == "<>" else word, (self._literal(),))
        if word == "LIKE":
            return Comparison(name, word, (self._literal(),))
        if word == "NOT":
            self._expect("IN")
            return Comparison(name, "NOT IN", self._list())
        if word in ("IN", "INCLUDES"):
            return Comparison(name, word, self._list())

        self._next -= 1
        raise self._unexpected()

    def _list(self) -> tuple[Constant, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self) -> Constant:
        token = self._advance()
        if token.kind == "string":
            return _string(token.text[1:-1])
        if token.kind in ("moment", "date", "number"):
            return Constant(token.kind, token.text)
        if token.kind == "word" and token.text.lower() in ("true", "false"):
            return Constant("boolean", token.text.lower())
        if token.kind == "word" and token.text.lower() == "null":
            return Constant("null", "")

        self._next -= 1
        raise self._unexpected()

    def _count(self) -> int:
        token = self._advance()
        if token.kind != "number" or not token.text.isdigit():
            self._next -= 1
            raise self._unexpected()
        return int(token.text)

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _advance(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _take(self, word: str) -> bool:
        token = self._peek()
        if token.kind in ("word", "sign") and token.text.upper() == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _word(self) -> Token:
        token = self._peek()
        if token.kind != "word":
            raise self._unexpected()
        return self._advance()

    def _unexpected(self) -> ApiError:
        token = self._peek()
        if token.kind == "end":
            return malformed("unexpected end of query")
        shown = token.text if self._next == 0 else f"'{token.text}'"
        return malformed(f"unexpected token: {shown}")


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
