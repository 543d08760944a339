"""WHERE -> a function of a row, with the refusals of Salesforce for what it does not filter by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ..errors import ApiError
from ..schema import FieldSpec, FieldType
from ..table import Row, Value
from .paths import Getter, Path, Scope
from .reader import DATE_FUNCTIONS
from .tokens import caret, malformed
from .tree import Comparison, Condition, Query, Term
from .values import membership, read_test

Test = Callable[[Row], bool]


def compile_condition(scope: Scope, condition: Condition) -> Test:
    """Return the test of a condition; raises ApiError for fields and values that do not fit."""
    if isinstance(condition, Comparison):
        return _semi_join(scope, condition) if condition.inner else _comparison(scope, condition)
    tests = [compile_condition(scope, part) for part in condition.parts]
    if condition.joint == "NOT":
        inner = tests[0]
        return lambda row: not inner(row)

    test = tests[-1]
    for earlier in reversed(tests[:-1]):
        test = _both(earlier, test) if condition.joint == "AND" else _either(earlier, test)
    return test


def _both(first: Test, second: Test) -> Test:
    return lambda row: first(row) and second(row)


def _either(first: Test, second: Test) -> Test:
    return lambda row: first(row) or second(row)


def _comparison(scope: Scope, condition: Comparison) -> Test:
    if condition.term.is_aggregate or condition.term.function == "FIELDS":
        raise malformed(f"unexpected token: '{condition.term.function}'")

    path = _filterable(scope, condition)
    get, field = read_term(scope, condition.term, path)
    test = read_test(scope, condition, field)
    if not path.steps and not condition.term.function:
        name = path.field.name
        return lambda row: test(row.get(name))
    return lambda row: test(get(row))


def _filterable(scope: Scope, condition: Comparison) -> Path:
    path = scope.path(condition.name)
    if not path.field.filterable:
        raise scope.refusal(condition.name, f"field '{path.field.name}' can not be filtered in a query call")
    return path


def read_term(scope: Scope, term: Term, path: Path) -> tuple[Getter, FieldSpec]:
    """Return what gives a term's value of a row, and the field as the term sees it; raises ApiError."""
    get = path.getter
    if term.function not in DATE_FUNCTIONS:
        return get, path.field  # labels are the values themselves
    if path.field.type not in ("date", "datetime"):
        raise scope.refusal(term.name, f"field {path.field.name} does not support date function {term.function}")

    part = _DATE_PARTS[term.function]
    kind: FieldType = "date" if term.function == "DAY_ONLY" else "int"

    def get_part(row: Row) -> Value:
        value = get(row)
        return None if value is None else part(datetime.fromisoformat(str(value)))

    return get_part, replace(path.field, type=kind)


_DATE_PARTS: dict[str, Callable[[datetime], Value]] = {
    "CALENDAR_YEAR": lambda moment: moment.year,
    "CALENDAR_QUARTER": lambda moment: (moment.month + 2) // 3,
    "CALENDAR_MONTH": lambda moment: moment.month,
    "DAY_IN_MONTH": lambda moment: moment.day,
    "DAY_IN_WEEK": lambda moment: moment.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda moment: moment.timetuple().tm_yday,
    "DAY_ONLY": lambda moment: moment.date().isoformat(),
    "FISCAL_YEAR": lambda moment: moment.year,
    "FISCAL_QUARTER": lambda moment: (moment.month + 2) // 3,
    "FISCAL_MONTH": lambda moment: moment.month,
    "HOUR_IN_DAY": lambda moment: moment.hour,
}


def _semi_join(scope: Scope, condition: Comparison) -> Test:
    """Return the test for a field that names one of the rows that a query of another object finds."""
    assert condition.inner is not None  # noqa: S101  # tells the type checker what the caller has seen
    path = _filterable(scope, condition)
    values = _inner_values(scope, condition.inner, condition, path)
    test, get = membership(values, folds=False, negated=condition.operator == "NOT IN"), path.getter
    return lambda row: test(get(row))


def _inner_values(scope: Scope, query: Query, condition: Comparison, outer: Path) -> list[Value]:
    world = scope.world
    source = world.named(query.source.text)
    if source is None:
        raise no_object(query)
    if source == scope.access.spec.name:
        raise malformed("The inner and outer selects should not be on the same object type")

    inner = Scope(query.text, world.access_of(source), world, query.alias)
    term = query.selected[0].term
    path = inner.path(term.name)
    if term.function or not (_objects(inner, path) & _objects(scope, outer)):
        raise malformed(
            f"The selected field '{term.name.text}' in the subquery and the left operand field"
            f" '{condition.name.text}' in the where expression in the outer query should point to the same object type"
        )

    test = compile_condition(inner, query.where) if query.where else None
    get = path.getter
    rows = [row for row in world.tables[source].scan() if row.get("IsDeleted") is not True and (not test or test(row))]
    return [value for value in map(get, rows) if value is not None]


def _objects(scope: Scope, path: Path) -> set[str]:
    """Return the objects that the ids in a field are of."""
    if path.field.type != "id":
        return set(path.field.targets)
    return {path.steps[-1].table.spec.name if path.steps else scope.access.spec.name}


def no_object(query: Query) -> ApiError:
    """Return the refusal of an object that there is not."""
    text = (
        f"sObject type '{query.source.text}' is not supported. If you are attempting to use a custom object, be sure "
        "to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
        "appropriate names."
    )
    return ApiError(400, "INVALID_TYPE", caret(query.text, query.source.at) + text)
