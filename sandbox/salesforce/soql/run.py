"""Runs a query over the tables of the org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ..errors import ApiError
from ..ids import full_id
from ..schema import TEXT_TYPES
from ..table import Row, Table, Value
from .conditions import Test, compile_condition, no_object
from .figures import find_figures
from .found import Children, Column, Found, column
from .parser import parse_query
from .paths import Getter, Path, Scope, World
from .tokens import malformed
from .tree import Comparison, Condition, Order, Query, Selected, conjuncts

MOST_WITH_ALL_FIELDS = 200


def run_query(text: str, world: World, *, with_deleted: bool) -> Found:
    """Run a SOQL text; raises ApiError."""
    query = parse_query(text)
    source = world.named(query.source.text)
    if source is None:
        raise no_object(query)

    scope = Scope(text, world.access_of(source), world, query.alias)
    if query.counts_rows:
        if query.order:
            raise malformed("ORDER BY clause not allowed with COUNT() aggregate function")
        rows = islice(
            _matching(scope, query, world.tables[source], with_deleted=with_deleted), query.offset, _end(query)
        )
        return Found(source, count=sum(1 for _ in rows))
    if query.is_aggregate:
        matching = _matching(scope, query, world.tables[source], with_deleted=with_deleted)
        return find_figures(scope, query, source, matching)

    columns = tuple(_columns(scope, query))
    children = tuple(_children(scope, each) for each in query.selected if each.children is not None)
    return Found(source, columns, _rows(scope, query, world.tables[source], with_deleted=with_deleted), children)


def _end(query: Query) -> int | None:
    return None if query.limit is None else query.offset + query.limit


def _columns(scope: Scope, query: Query) -> Iterator[Column]:
    seen: set[str] = set()
    for each in query.selected:
        if each.children is not None:
            continue

        for path in _paths(scope, query, each):
            name = ".".join(path.names)
            if name in seen:
                raise ApiError(400, "INVALID_FIELD", f"duplicate field selected: {name}")
            seen.add(name)
            yield column(path)


def _paths(scope: Scope, query: Query, each: Selected) -> Iterable[Path]:
    if each.term.function != "FIELDS":
        if each.term.function and each.term.function != "TOLABEL":
            raise malformed(f"Field must be grouped or aggregated: {each.term.name.text}")
        return [scope.path(each.term.name)]

    kind = each.term.name.word
    if kind not in ("ALL", "STANDARD", "CUSTOM"):
        raise malformed(f"unexpected token: '{each.term.name.text}'")
    if kind != "STANDARD" and (query.limit is None or query.limit > MOST_WITH_ALL_FIELDS):
        raise malformed(f"The SOQL FIELDS function must have a LIMIT of at most {MOST_WITH_ALL_FIELDS}")
    return [Path(field) for field in scope.fields() if kind == "ALL" or field.custom is (kind == "CUSTOM")]


def _children(scope: Scope, each: Selected) -> Children:
    """Return the query of the children in one relationship of the object."""
    query, world = each.children, scope.world
    assert query is not None  # noqa: S101  # tells the type checker what the caller has seen
    wanted, parent = query.source.text.lower(), scope.access.spec.name

    for name, table in world.tables.items():
        access = world.access_of(name)
        for field in access.visible.values():
            if parent in field.targets and (field.children or "").lower() == wanted:
                inner = Scope(query.text, access, world, query.alias)
                columns, reference = tuple(_columns(inner, query)), field.name
                rows = _rows(inner, query, table, with_deleted=False)
                return Children(
                    str(field.children),
                    lambda key: Found(name, columns, [row for row in rows if row[reference] == key]),  # noqa: B023  # the loop ends here
                )

    raise scope.refusal(
        query.source,
        f"Didn't understand relationship '{query.source.text}' in FROM part of query call. If you are attempting to use"
        " a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your"
        " WSDL or the describe call for the appropriate names.",
        "INVALID_TYPE",
    )


def _rows(scope: Scope, query: Query, table: Table, *, with_deleted: bool) -> list[Row]:
    keys = [(key, scope.path(key.term.name)) for key in query.order]
    matching = _matching(scope, query, table, with_deleted=with_deleted)
    if keys and not (keys[0][1].names == ("Id",) and not keys[0][0].descending):
        return _sorted(scope, keys, list(matching))[query.offset : _end(query)]
    return list(islice(matching, query.offset, _end(query)))


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
        test = _all([compile_condition(scope, part) for part in rest])
    else:
        test = None

    found = filter(test, rows) if test else iter(rows)
    return found if with_deleted else (row for row in found if row.get("IsDeleted") is not True)


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _jump(part: Condition, table: Table) -> Iterable[Row] | None:
    if not isinstance(part, Comparison) or part.term.key != ("", "id") or part.inner:
        return None
    ids = [full_id(constant.text) for constant in part.values if constant.kind == "string"]
    if len(ids) != len(part.values):
        return None
    if part.operator in (">", ">="):
        return table.scan(ids[0], inclusive=part.operator == ">=")
    if part.operator in ("=", "IN"):
        return [table.rows[row_id] for row_id in sorted(set(filter(None, ids))) if row_id in table.rows]
    return None


def _sorted(scope: Scope, keys: list[tuple[Order, Path]], rows: list[Row]) -> list[Row]:
    for key, path in reversed(keys):
        if not path.field.filterable or path.field.type == "multipicklist":
            raise scope.refusal(key.term.name, f"field '{path.field.name}' can not be sorted in a query call")
        get = path.getter
        empty = [row for row in rows if get(row) is None]
        filled = [row for row in rows if get(row) is not None]
        filled.sort(key=_folded(get) if path.field.type in TEXT_TYPES else get, reverse=key.descending)  # type: ignore[arg-type]  # the values of one field can be compared
        rows = empty + filled if key.nulls_first else filled + empty
    return rows


def _folded(get: Getter) -> Getter:
    def fold(row: Row) -> Value:
        return str(get(row)).lower()

    return fold
