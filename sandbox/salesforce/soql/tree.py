"""What a SOQL text says, as a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .tokens import Token

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})


@dataclass(frozen=True, slots=True)
class Constant:
    """A value in a condition: a string, moment, date, number, boolean, null, or the name of a range of days (`range`).

    `text` is unescaped, `like` the pattern that it is as a regular expression.
    """

    kind: str
    text: str
    like: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A field, by its path of relationships, or a function of it; `COUNT()` and `FIELDS(ALL)` name no field."""

    name: Token
    function: str = ""

    @property
    def is_aggregate(self) -> bool:
        """Whether it is about a group of rows."""
        return self.function in AGGREGATES

    @property
    def key(self) -> tuple[str, str]:
        """What two terms that say the same have in common."""
        return self.function, self.name.text.lower()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`term operator values`; operators: =, !=, <, <=, >, >=, LIKE, IN, NOT IN, INCLUDES, EXCLUDES.

    For a semi-join or an anti-join the values are those that `inner` selects.
    """

    term: Term
    operator: str
    values: tuple[Constant, ...] = ()
    inner: Query | None = None

    @property
    def name(self) -> Token:
        """The field's name."""
        return self.term.name


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR, or one condition that is negated."""

    joint: Literal["AND", "OR", "NOT"]
    parts: tuple[Condition, ...]


Condition = Comparison | Group


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    term: Term
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Selected:
    """One part of the SELECT list: a term, with the alias of an aggregate, or a query of children."""

    term: Term
    alias: str = ""
    children: Query | None = None


@dataclass(slots=True)
class Query:
    """A parsed query; `alias` is another name of its object."""

    text: str
    selected: list[Selected] = field(default_factory=list)
    source: Token = field(default_factory=lambda: Token("end", "", 0))
    alias: str = ""
    where: Condition | None = None
    group: list[Term] = field(default_factory=list)
    having: Condition | None = None
    order: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    @property
    def counts_rows(self) -> bool:
        """Whether it asks for the number of rows and nothing else: `SELECT COUNT() FROM ...`."""
        return len(self.selected) == 1 and self.selected[0].term.function == "COUNT" and not self._names(0)

    @property
    def is_aggregate(self) -> bool:
        """Whether it answers with figures in place of records."""
        return bool(self.group) or any(each.term.is_aggregate for each in self.selected)

    def _names(self, number: int) -> str:
        return self.selected[number].term.name.text


def conjuncts(condition: Condition | None) -> list[Condition]:
    """Return the parts that must all hold."""
    if isinstance(condition, Group) and condition.joint == "AND":
        return [part for inner in condition.parts for part in conjuncts(inner)]
    return [] if condition is None else [condition]
