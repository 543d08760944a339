"""The text of SOQL queries. Every literal goes through :func:`literal`, which escapes it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ringfence.core.model.shapes import ObjectShape, OptOutFlag
from ringfence.core.model.values import Companion, Value
from ringfence.core.model.verdicts import Status

from .fields import CONVERTED, STAMP, companions_of, is_lead, read_moment, write_moment

BY_ID = ("Id",)
BY_STAMP = (STAMP, "Id")

MULTIPICKLIST = "multipicklist"
"""The type of a field that holds several values at once."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query. ``conditions`` must all hold; ``order`` is BY_ID or BY_STAMP, so that it can resume behind any row.

    ``start`` is the stamp that a window in the order of stamps begins with; ``limit`` is the most rows that are wanted.
    """

    object: str
    fields: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    order: tuple[str, ...] = BY_ID
    deleted_too: bool = False
    start: datetime | None = None
    limit: int | None = None

    @property
    def is_quick(self) -> bool:
        """Return whether an index finds its rows: those of certain ids, or of a window of time."""
        return any(condition.startswith(_INDEXED) for condition in self.conditions)

    def soql(self, *, ordered: bool = True) -> str:
        """Return its text, with or without its order."""
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        order = f" ORDER BY {', '.join(self.order)}" if ordered else ""
        limit = "" if self.limit is None else f" LIMIT {self.limit}"
        return f"SELECT {', '.join(self.fields)} FROM {self.object}{where}{order}{limit}"  # noqa: S608  # literals are escaped, names come from the mapping

    def counting(self) -> str:
        """Return the text of the query for the number of its rows."""
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return f"SELECT COUNT() FROM {self.object}{where}"  # noqa: S608  # as above

    def ordered_by(self, order: tuple[str, ...]) -> Query:
        """Return the same query in another order."""
        return replace(self, order=order)

    def narrowed(self, *conditions: str) -> Query:
        """Return the same query over the rows that meet further conditions."""
        return replace(self, conditions=(*self.conditions, *conditions))

    def behind(self, row: Mapping[str, Any]) -> Query:
        """Return the same query over the rows that come after this one in its order."""
        if self.order == BY_ID:
            return self.narrowed(after_id(row["Id"]))
        return self.narrowed(after_stamp(read_moment(row[STAMP]), row["Id"]))


_INDEXED = ("Id IN (", f"{STAMP} >=", f"({STAMP} ", "(Id ")
"""How the conditions of :func:`one_of`, :func:`since` and :func:`after_stamp`, and those of pieces, begin."""


def literal(value: Value) -> str:
    """Return a value as SOQL writes it, quotes and control characters escaped."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return write_moment(value)
    return "'" + "".join(_ESCAPES.get(character, character) for character in value) + "'"


_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def base_conditions(shape: ObjectShape) -> tuple[str, ...]:
    """Return the conditions of every query of the object: converted leads are left out (contract.md, section 2)."""
    return (f"{CONVERTED} = false",) if is_lead(shape) else ()


def after_id(record_id: str) -> str:
    """Return the condition for rows behind an id."""
    return f"Id > {literal(record_id)}"


def after_stamp(moment: datetime, record_id: str) -> str:
    """Return the condition for rows behind a stamp and, within its second, behind an id."""
    stamp = literal(moment)
    return f"({STAMP} > {stamp} OR ({STAMP} = {stamp} AND Id > {literal(record_id)}))"


def since(moment: datetime) -> str:
    """Return the condition for rows that changed at or after the moment."""
    return f"{STAMP} >= {literal(moment)}"


def flag_up(flag: OptOutFlag, kind: str | None = None) -> str:
    """Return the condition for a raised opt-out flag; ``kind`` is the field's type, where it is known.

    Of a text that holds several values it finds more than the raised ones: no condition names a part of a text.
    """
    if kind == MULTIPICKLIST:
        return f"{flag.field} INCLUDES ({','.join(map(literal, flag.true_values))})"
    if flag.multiple:
        return any_of(f"{flag.field} LIKE {_containing(value)}" for value in flag.true_values)
    return any_of(f"{flag.field} = {literal(value)}" for value in flag.true_values)


def withdrawn(flag: OptOutFlag, kind: str) -> str:
    """Return the condition for withdrawn consent in a field of this type; queries compare texts in any case."""
    told = [each for each in flag.true_values if isinstance(each, bool) is (kind == "boolean")]
    return flag_up(replace(flag, true_values=tuple(told)), kind) if told else "Id = null"


def _containing(value: Value) -> str:
    return "'%" + literal(str(value))[1:-1].replace("%", "\\%").replace("_", "\\_") + "%'"


def silenced(shape: ObjectShape) -> list[str]:
    """Return the condition for a slot whose status is ``do_not_contact``; none where the org has no status field."""
    do_not_contact = literal(Status.DO_NOT_CONTACT.value)
    names = companions_of(shape, Companion.STATUS)
    return [any_of(f"{name} = {do_not_contact}" for name in names)] if names else []


def due(shape: ObjectShape, before: datetime, hidden: Container[str] = ()) -> str:
    """Return the condition for a filled slot never screened, or last screened before the moment.

    SOQL's ``<`` never matches an empty field, so emptiness is a condition of its own. Of the phone fields that are
    ``hidden`` from conditions it finds empty ones too.
    """
    clauses = []
    for slot in shape.slots:
        last = slot.companions.get(Companion.LAST_SCREENED)
        filled = "" if slot.field in hidden else f"{slot.field} != null"
        # Without the field, which a dry run before the set-up meets, the slot was never screened.
        old = "" if last is None else f"({last} < {literal(before)} OR {last} = null)"
        if filled and old:
            clauses.append(f"({filled} AND {old})")
        else:
            clauses.append(filled or old or "Id != null")

    return any_of(clauses)


def screened(shape: ObjectShape, moment: datetime) -> str:
    """Return the condition for a slot last screened at or after the moment."""
    return any_of(f"{name} >= {literal(moment)}" for name in companions_of(shape, Companion.LAST_SCREENED))


def one_of(ids: Sequence[str]) -> str:
    """Return the condition for these ids."""
    return f"Id IN ({','.join(map(literal, ids))})"


def beside_others(condition: str) -> str:
    """Return a condition that somebody wrote so that it can be joined to others by AND, its words unchanged.

    It gets brackets where OR or NOT stands in it on its own; elsewhere it must have none, because Salesforce takes a
    semi-join only outside of brackets.
    """
    outside = _outside_brackets(condition).upper().split()
    return f"({condition})" if "OR" in outside or outside[:1] == ["NOT"] else condition.strip()


_PARTS = re.compile(r"'(?:[^'\\]|\\.)*'|[()]|[^'()]+|'", re.DOTALL)


def _outside_brackets(condition: str) -> str:
    """Return the words of a condition that stand in no bracket and in no quotes."""
    depth, words = 0, []
    for part in _PARTS.findall(condition):
        depth += {"(": 1, ")": -1}.get(part, 0)
        words.append(part if depth == 0 and part[0] not in "'()" else " ")
    return "".join(words)


def any_of(clauses: Iterable[str]) -> str:
    """Return the condition that any of these holds."""
    return f"({' OR '.join(clauses)})"
