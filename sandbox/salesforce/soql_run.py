"""Runs a parsed query over the tables of the org."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .access import Access
from .errors import ApiError
from .ids import full_id
from .schema import TEXT_TYPES, FieldSpec
from .soql_filter import Scope, Test, caret, compile_condition, conjuncts
from .soql_parser import Comparison, Condition, Order, Query, parse_query
from .table import Row, Table


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a query: the rows in order, and how to show them. `count` is set for COUNT() and COUNT(Id)."""

    object_name: str
    names: tuple[str, ...]
    rows: list[Row]
    count: int | None = None
    alias: str | None = None


def run_query(
    text: str, tables: Mapping[str, Table], access_of: Callable[[str], Access], *, with_deleted: bool
) -> Found:
    """Run a SOQL text; `access_of` gives what the user may see of an object. Raises ApiError."""
    query = parse_query(text)
    source = next((name for name in tables if name.lower() == query.source.text.lower()), None)
    if source is None:
        raise _no_object(query)

    scope = Scope(text, access_of(source))
    names = _selected(scope, query)
    keys = [(key, scope.field(key.name)) for key in query.order]
    matching = _matching(scope, query, tables[source], with_deleted=with_deleted)
    if query.count:
        return _counted(query, source, matching)

    limit = None if query.limit is None else query.offset + query.limit
    if keys and not (keys[0][1].type == "id" and not keys[0][0].descending):
        rows = _sorted(scope, keys, list(matching))[query.offset : limit]
    else:
        rows = list(islice(matching, query.offset, limit))

    return Found(source, names, rows)


def _no_object(query: Query) -> ApiError:
    text = (
        f"sObject type '{query.source.text}' is not supported. If you are attempting to use a custom object, be sure "
        "to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
        "appropriate names."
    )
    return ApiError(400, "INVALID_TYPE", caret(query.text, query.source.at) + text)


def _selected(scope: Scope, query: Query) -> tuple[str, ...]:
    names: list[str] = []
    for token in query.names:
        name = scope.field(token).name
        if name in names:
            raise ApiError(400, "INVALID_FIELD", f"duplicate field selected: {name}")
        names.append(name)
    return tuple(names)


def _counted(query: Query, source: str, matching: Iterable[Row]) -> Found:
    name = query.names[0].text if query.names else None
    count = sum(1 for row in matching if name is None or row[name] is not None)
    return Found(source, (), [], count, query.alias if query.count == "field" else None)


def _matching(scope: Scope, query: Query, table: Table, *, with_deleted: bool) -> Iterator[Row]:
    """Yield matching rows in id order; a condition on Id is looked up in the order of ids instead of scanned."""
    test = compile_condition(scope, query.where) if query.where else None
    rows: Iterable[Row] | None = None
    rest: list[Condition] = []

    for part in conjuncts(query.where):
        jump = _jump(part, table) if rows is None else None
        if jump is None:
            rest.append(part)
        else:
            rows = jump

    if rows is None:
        rows = table.scan()
    elif rest:
        tests = [compile_condition(scope, part) for part in rest]
        test = _all(tests)
    else:
        test = None

    found = filter(test, rows) if test else iter(rows)
    return found if with_deleted else (row for row in found if row.get("IsDeleted") is not True)


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _jump(part: Condition, table: Table) -> Iterable[Row] | None:
    if not isinstance(part, Comparison) or part.name.text.lower() != "id":
        return None
    ids = [full_id(constant.text) for constant in part.values if constant.kind == "string"]
    if len(ids) != len(part.values):
        return None
    if part.operator in (">", ">="):
        return table.scan(ids[0], inclusive=part.operator == ">=")
    if part.operator in ("=", "IN"):
        return [table.rows[row_id] for row_id in sorted(set(filter(None, ids))) if row_id in table.rows]
    return None


def _sorted(scope: Scope, keys: list[tuple[Order, FieldSpec]], rows: list[Row]) -> list[Row]:
    for key, field in reversed(keys):
        if not field.filterable:
            raise scope.refusal(key.name, f"field '{field.name}' can not be sorted in a query call")
        name, folds = field.name, field.type in TEXT_TYPES
        empty = [row for row in rows if row.get(name) is None]
        filled = [row for row in rows if row.get(name) is not None]
        filled.sort(key=_sort_key(name, folds=folds), reverse=key.descending)
        rows = empty + filled if key.nulls_first else filled + empty
    return rows


def _sort_key(name: str, *, folds: bool) -> Callable[[Row], Any]:
    return (lambda row: str(row[name]).lower()) if folds else (lambda row: row[name])
