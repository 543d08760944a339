"""Which queries take an org of millions too long: those whose conditions no index serves.

An index serves a condition that must hold on an id, a reference, a stamp or another indexed field, if few rows meet it
("Working with Very Large SOQL Queries" of the Apex guide). Everything else is a scan, broken off after two minutes.
"""

from __future__ import annotations

from .errors import ApiError
from .soql.conditions import compile_condition
from .soql.parser import parse_query
from .soql.paths import Scope, World
from .soql.tree import Comparison, Condition, conjuncts

_INDEXED = frozenset({"name", "email", "createddate", "systemmodstamp"})
_SERVED = frozenset({"=", "IN", "<", "<=", ">", ">="})


def refuse_slow(text: str, world: World, most: int) -> None:
    """Raise ApiError QUERY_TIMEOUT for a query of more than `most` rows whose conditions no index serves."""
    query = parse_query(text)
    source = world.named(query.source.text) or ""
    table = world.tables[source]
    if query.where is None or len(table.rows) <= most:
        return

    scope = Scope(text, world.access_of(source), world, query.alias)
    tests = [compile_condition(scope, part) for part in conjuncts(query.where) if _is_indexed(scope, part)]
    if tests and sum(1 for row in table.scan() if all(test(row) for test in tests)) <= most:
        return
    raise ApiError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")


def _is_indexed(scope: Scope, part: Condition) -> bool:
    if not isinstance(part, Comparison) or part.operator not in _SERVED or part.term.function:
        return False
    field = scope.field(part.name)
    return field.type in ("id", "reference") or field.name.lower() in _INDEXED
