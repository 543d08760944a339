"""SOQL text -> query tree (SOQL and SOSL Reference, "SOQL SELECT Syntax")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import ApiError
from .reader import TokenReader
from .tokens import malformed
from .tree import Comparison, Condition, Group, Order, Query, Selected, Term

_SIGNS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_CLAUSES = frozenset({"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "WITH", "USING"})
MAX_CHARACTERS = 100_000
MAX_OFFSET = 2_000
MAX_SEMI_JOINS = 2

Part = TypeVar("Part")


def parse_query(text: str) -> Query:
    """Return the tree of a SOQL text; raises ApiError MALFORMED_QUERY or NUMBER_OUTSIDE_VALID_RANGE."""
    if len(text) > MAX_CHARACTERS:
        raise malformed(f"SOQL statements cannot be longer than {MAX_CHARACTERS} characters.")

    tokens = TokenReader(text)
    query = _QueryParser(tokens).query()
    if tokens.peek().kind != "end":
        raise tokens.unexpected()
    return query


class _QueryParser:
    """Recursive descent over the tokens of one query; the queries in brackets have parsers of their own."""

    def __init__(self, tokens: TokenReader) -> None:
        self._tokens = tokens

    def query(self) -> Query:
        tokens = self._tokens
        query = Query(tokens.text)
        tokens.expect("SELECT")
        query.selected = self._list_of(self._selected)
        tokens.expect("FROM")
        query.source = tokens.name()
        if tokens.peek().kind == "word" and tokens.peek().word not in _CLAUSES:
            query.alias = tokens.name().text

        if tokens.take("WHERE"):
            query.where = _ConditionParser(tokens).conditions()

        if tokens.take("GROUP"):
            tokens.expect("BY")
            query.group = self._list_of(tokens.term)
            if tokens.take("HAVING"):
                query.having = _ConditionParser(tokens).conditions()

        if tokens.take("ORDER"):
            tokens.expect("BY")
            query.order = self._list_of(self._order)

        if tokens.take("LIMIT"):
            query.limit = tokens.number()

        if tokens.take("OFFSET"):
            query.offset = tokens.number()
            if query.offset > MAX_OFFSET:
                text = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
                raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", text)

        if tokens.take("FOR") and not (tokens.take("VIEW") or tokens.take("REFERENCE")):
            raise tokens.unexpected()
        return query

    def _list_of(self, read: Callable[[], Part]) -> list[Part]:
        parts = [read()]
        while self._tokens.take(","):
            parts.append(read())
        return parts

    def _selected(self) -> Selected:
        tokens = self._tokens
        if tokens.take("("):
            children = _QueryParser(tokens).query()
            tokens.expect(")")
            return Selected(Term(children.source), children=children)

        term = tokens.term()
        follows = tokens.peek()
        # A query that counts all of its rows does nothing else, and gives that number no name.
        if term.function and term.name.text and follows.kind == "word" and follows.word != "FROM":
            return Selected(term, tokens.name().text)
        return Selected(term)

    def _order(self) -> Order:
        term = self._tokens.term()
        descending = self._tokens.take("DESC")
        if not descending:
            self._tokens.take("ASC")

        nulls_first = True
        if self._tokens.take("NULLS"):
            nulls_first = self._tokens.take("FIRST")
            if not nulls_first:
                self._tokens.expect("LAST")
        return Order(term, descending, nulls_first)


class _ConditionParser:
    """The conditions of one WHERE or HAVING."""

    def __init__(self, tokens: TokenReader, *, inner: bool = False) -> None:
        self._tokens = tokens
        self._inner = inner
        self._depth = 0
        self._nested = self._semi_joins = 0

    def conditions(self) -> Condition:
        """Return the conditions, once they hold what may stand together."""
        found = self._conditions()
        joined = isinstance(found, Group) or self._semi_joins > 1
        if self._nested and joined:
            raise malformed(
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE"
                " expressions."
            )
        if self._semi_joins > MAX_SEMI_JOINS:
            raise malformed(f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed.")
        if self._semi_joins and isinstance(found, Group) and found.joint == "OR":
            raise malformed("Semi join sub-selects are not allowed with the 'OR' operator")
        return found

    def _conditions(self) -> Condition:
        # NOT is taken at the start of a condition alone: behind AND and OR it needs brackets.
        first = self._negated() if self._tokens.take("NOT") else self._condition()
        joint = self._tokens.peek().word
        if joint not in ("AND", "OR"):
            return first

        parts = [first]
        while self._tokens.take(joint):
            parts.append(self._condition())

        # SOQL wants brackets where AND and OR meet.
        if self._tokens.peek().word in ("AND", "OR"):
            raise self._tokens.unexpected()
        return Group("AND" if joint == "AND" else "OR", tuple(parts))

    def _negated(self) -> Condition:
        self._depth += 1
        found = Group("NOT", (self._condition(),))
        self._depth -= 1
        return found

    def _condition(self) -> Condition:
        if not self._tokens.take("("):
            return self._comparison()

        self._depth += 1
        found = self._conditions()
        self._depth -= 1
        self._tokens.expect(")")
        return found

    def _comparison(self) -> Comparison:
        tokens = self._tokens
        if tokens.peek().word in ("NOT", "AND", "OR"):
            raise tokens.unexpected()

        term = tokens.term()
        sign = tokens.advance()
        if sign.kind == "sign" and sign.text in _SIGNS:
            return Comparison(term, "!=" if sign.text == "<>" else sign.text, (tokens.constant(),))

        match sign.word:
            case "LIKE":
                return Comparison(term, "LIKE", (tokens.constant(),))
            case "NOT":
                tokens.expect("IN")
                return self._membership(term, "NOT IN")
            case "IN":
                return self._membership(term, "IN")
            case "INCLUDES" | "EXCLUDES":
                return self._membership(term, sign.word)
        raise tokens.unexpected(back=1)

    def _membership(self, term: Term, operator: str) -> Comparison:
        tokens = self._tokens
        tokens.expect("(")
        if tokens.peek().word == "SELECT" and operator in ("IN", "NOT IN"):
            return self._semi_join(term, operator)

        values = [tokens.constant()]
        while tokens.take(","):
            values.append(tokens.constant())
        tokens.expect(")")
        return Comparison(term, operator, tuple(values))

    def _semi_join(self, term: Term, operator: str) -> Comparison:
        if self._inner:
            raise malformed("Nesting of semi join sub-selects is not supported")

        self._semi_joins += 1
        self._nested += self._depth > 0
        inner = _read_inner(self._tokens)
        self._tokens.expect(")")
        return Comparison(term, operator, inner=inner)


def _read_inner(tokens: TokenReader) -> Query:
    """Return the query of a semi-join: one field, and conditions without a semi-join of their own."""
    query = Query(tokens.text)
    tokens.expect("SELECT")
    query.selected = [Selected(tokens.term())]
    tokens.expect("FROM")
    query.source = tokens.name()
    if tokens.peek().kind == "word" and tokens.peek().word not in _CLAUSES:
        query.alias = tokens.name().text
    if tokens.take("WHERE"):
        query.where = _ConditionParser(tokens, inner=True).conditions()
    return query
