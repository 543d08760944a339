"""Queries that answer with figures: COUNT, MIN, MAX, SUM, AVG, of all rows or of each group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..errors import ApiError
from ..schema import TEXT_TYPES
from ..table import Row, Value
from .conditions import read_term
from .found import Found, Shown, value_of
from .paths import Scope
from .tokens import malformed
from .tree import Comparison, Condition, Query, Selected, Term
from .values import read_test

LARGEST_ANSWER = 2_000
_NUMBERS = ("SUM", "AVG")

Rows = Sequence[Row]
Figure = Callable[[Rows], Value]


def find_figures(scope: Scope, query: Query, source: str, matching: Iterable[Row]) -> Found:
    """Return the figures of the matching rows; raises ApiError."""
    figures = [
        (_name(query, each, number), _selected(scope, query, each)) for number, each in enumerate(query.selected)
    ]
    sort_keys = [(_read(scope, query, key.term), key) for key in query.order]
    groups = list(_groups(scope, query, matching))

    if query.having is not None:
        keep = _having(scope, query, query.having)
        groups = [rows for rows in groups if keep(rows)]

    for figure, key in reversed(sort_keys):
        groups.sort(key=lambda rows, figure=figure: _sortable(figure(rows)), reverse=key.descending)  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    end = None if query.limit is None else query.offset + query.limit
    groups = groups[query.offset : end]
    if len(groups) > LARGEST_ANSWER:
        text = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", text)

    shown = [_show(figures, rows) for rows in groups]
    return Found(source, figures=shown)


def _show(figures: Iterable[tuple[str, Figure]], rows: Rows) -> Shown:
    shown: Shown = {"attributes": {"type": "AggregateResult"}}
    return {**shown, **{name: value_of(figure(rows)) for name, figure in figures}}


def _name(query: Query, each: Selected, number: int) -> str:
    if each.alias:
        return each.alias
    if not each.term.function:
        return each.term.name.text.rpartition(".")[2]
    return f"expr{sum(1 for other in query.selected[:number] if other.term.function and not other.alias)}"


def _groups(scope: Scope, query: Query, matching: Iterable[Row]) -> Iterable[Rows]:
    if not query.group:
        return [list(matching)]

    keys = []
    for term in query.group:
        field = scope.field(term.name)
        if not field.filterable or (field.type in ("datetime", "textarea") and not term.function):
            raise malformed(f"field '{field.name}' can not be grouped in a query call")
        keys.append(read_term(scope, term, scope.path(term.name))[0])

    groups: dict[tuple[Value, ...], list[Row]] = {}
    for row in matching:
        groups.setdefault(tuple(key(row) for key in keys), []).append(row)
    return groups.values()


def _selected(scope: Scope, query: Query, each: Selected) -> Figure:
    if each.children is not None:
        raise malformed("unexpected token: '('")
    return _read(scope, query, each.term)


def _read(scope: Scope, query: Query, term: Term) -> Figure:
    """Return what gives a term's value of a group; raises ApiError for a field that is neither grouped nor counted."""
    if not term.is_aggregate:
        if term.key not in [each.key for each in query.group]:
            raise malformed(f"Field must be grouped or aggregated: {term.name.text}")
        get = read_term(scope, term, scope.path(term.name))[0]
        return lambda rows: get(rows[0])

    if not term.name.text:
        return len
    path = scope.path(term.name)
    field, get_value = path.field, path.getter
    numbers, texts = term.function in _NUMBERS, term.function in ("MIN", "MAX")
    bad = (numbers and field.type != "int") or (texts and field.type == "boolean")
    if bad or not field.filterable:
        raise scope.refusal(
            term.name, f"field {field.name} does not support aggregate operator {term.function}", "MALFORMED_QUERY"
        )

    folds = field.type in TEXT_TYPES
    return lambda rows: _figure(term.function, [v for v in map(get_value, rows) if v is not None], folds=folds)


def _figure(function: str, values: list[Value], *, folds: bool) -> Value:
    match function:
        case "COUNT":
            return len(values)
        case "COUNT_DISTINCT":
            return len({str(value).lower() if folds else value for value in values})
        case _ if not values:
            return None
        case "SUM" | "AVG":
            total = sum(float(value or 0) for value in values)
            return total if function == "SUM" else total / len(values)
    return (min if function == "MIN" else max)(values, key=_sortable)


def _having(scope: Scope, query: Query, condition: Condition) -> Callable[[Rows], bool]:
    if not isinstance(condition, Comparison):
        tests = [_having(scope, query, part) for part in condition.parts]
        if condition.joint == "NOT":
            return lambda rows: not tests[0](rows)
        holds = all if condition.joint == "AND" else any
        return lambda rows: holds(test(rows) for test in tests)

    figure = _read(scope, query, condition.term)
    if not condition.name.text:
        field = scope.access.visible["id"]
    else:
        field = read_term(scope, condition.term, scope.path(condition.name))[1]
    if condition.term.function in ("COUNT", "COUNT_DISTINCT", "SUM", "AVG"):
        field = replace(field, type="int")
    test = read_test(scope, condition, field)
    return lambda rows: test(figure(rows))


def _sortable(value: Value) -> tuple[int, str | float]:
    """Return a key by which empty values come first and texts sort without regard to case."""
    if value is None:
        return (0, "")
    return (1, float(value)) if isinstance(value, bool | int | float) else (1, str(value).lower())
