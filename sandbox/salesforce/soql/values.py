"""Literals of a condition -> values as rows hold them, and what it tests of the value of a row.

Texts compare without regard to case; `!=` and NOT IN also match null; `<`, `<=`, `>`, `>=` and LIKE never do; ids may
be written with 15 or 18 characters (SOQL and SOSL Reference, "Comparison Operators").
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from ..ids import full_id
from ..schema import TEXT_TYPES, FieldSpec
from ..table import Value
from .days import read_days
from .paths import Scope
from .tokens import malformed
from .tree import Comparison, Constant

ValueTest = Callable[[Value], bool]
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TYPE_NAMES = {"datetime": "dateTime"}
_KINDS = {"datetime": ("moment",), "date": ("date",), "boolean": ("boolean",), "int": ("number",)}
_BAD_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"


def read_test(scope: Scope, condition: Comparison, field: FieldSpec) -> ValueTest:
    """Return what a comparison tests of a field's value; raises ApiError for an operator or value that does not fit."""
    match condition.operator:
        case "LIKE":
            return _like(scope, condition, field)
        case "INCLUDES" | "EXCLUDES":
            return _members(scope, condition, field)

    folds = field.type in TEXT_TYPES
    if condition.operator in _ORDERINGS and field.type == "boolean":
        raise scope.refusal(condition.name, f"invalid operator on {field.type} field", _BAD_OPERATOR)
    if any(constant.kind == "range" for constant in condition.values):
        return _days(scope, condition, field)

    values = [_value(scope, condition, field, constant) for constant in condition.values]
    if condition.operator in _ORDERINGS:
        return _ordering(_ORDERINGS[condition.operator], values[0], folds=folds)
    return membership(values, folds=folds, negated=condition.operator in ("!=", "NOT IN"))


def membership(values: list[Value], *, folds: bool, negated: bool) -> ValueTest:
    """Return the test for one of the values, or for none of them."""
    allowed = frozenset(values)
    if folds and negated:
        return lambda value: (value.lower() if isinstance(value, str) else value) not in allowed
    if folds:
        return lambda value: (value.lower() if isinstance(value, str) else value) in allowed
    return (lambda value: value not in allowed) if negated else (lambda value: value in allowed)


def _ordering(holds: Callable[[Any, Any], bool], bound: Value, *, folds: bool) -> ValueTest:
    if bound is None:
        return lambda _value: False
    if folds:
        return lambda value: value is not None and holds(str(value).lower(), bound)
    return lambda value: value is not None and holds(value, bound)


def _days(scope: Scope, condition: Comparison, field: FieldSpec) -> ValueTest:
    """Return the test for a date literal, which stands for all of its days."""
    try:
        days = [read_days(constant.text.upper(), scope.world.today()) for constant in condition.values]
    except (OverflowError, ValueError):
        raise malformed("Date literal is out of range") from None

    unknown = next((c.text for c, each in zip(condition.values, days, strict=True) if each is None), None)
    if unknown is not None:
        raise malformed(f"unexpected token: '{unknown}'")
    if field.type not in ("date", "datetime"):
        raise _misfit(scope, condition, field)

    ranges = [(_day(field, each[0]), _day(field, each[1])) for each in days if each is not None]
    first, end = ranges[0]
    match condition.operator:
        case "<":
            return lambda value: value is not None and str(value) < first
        case "<=":
            return lambda value: value is not None and str(value) < end
        case ">":
            return lambda value: value is not None and str(value) >= end
        case ">=":
            return lambda value: value is not None and str(value) >= first
    negated = condition.operator in ("!=", "NOT IN")
    return lambda value: negated is not (value is not None and any(low <= str(value) < high for low, high in ranges))


def _day(field: FieldSpec, day: date) -> str:
    return day.isoformat() if field.type == "date" else f"{day.isoformat()}T00:00:00.000+0000"


def _like(scope: Scope, condition: Comparison, field: FieldSpec) -> ValueTest:
    constant = condition.values[0]
    if field.type not in TEXT_TYPES - {"multipicklist"} or constant.kind != "string":
        raise scope.refusal(condition.name, f"invalid operator on {field.type} field", _BAD_OPERATOR)
    matches = re.compile(constant.like, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda value: value is not None and matches(str(value)) is not None


def _members(scope: Scope, condition: Comparison, field: FieldSpec) -> ValueTest:
    """Return the test for a field that holds all the members of any of the values, which are split by semicolons."""
    if field.type != "multipicklist" or any(constant.kind != "string" for constant in condition.values):
        raise scope.refusal(condition.name, f"invalid operator on {field.type} field", _BAD_OPERATOR)
    wanted = [set(constant.text.lower().split(";")) for constant in condition.values]
    excluded = condition.operator == "EXCLUDES"
    return lambda value: excluded is not any(each <= set(str(value or "").lower().split(";")) for each in wanted)


def _value(scope: Scope, condition: Comparison, field: FieldSpec, constant: Constant) -> Value:
    if constant.kind == "null":
        return None
    if field.type in TEXT_TYPES and constant.kind == "string":
        return constant.text.lower() or None
    if field.type in ("id", "reference") and constant.kind == "string":
        found = full_id(constant.text)
        if found is None:
            raise scope.refusal(condition.name, f"invalid ID field: {constant.text}", _BAD_OPERATOR)
        return found
    if constant.kind not in _KINDS.get(field.type, ()):
        raise _misfit(scope, condition, field)
    return _plain_value(field, constant.text)


def _plain_value(field: FieldSpec, text: str) -> Value:
    try:
        match field.type:
            case "datetime":
                moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
                return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
            case "date":
                return date.fromisoformat(text).isoformat()
            case "boolean":
                return text == "true"
            case _:
                return float(text)
    except ValueError as error:
        raise malformed(f"Invalid {field.type}: {text}") from error


def _misfit(scope: Scope, condition: Comparison, field: FieldSpec) -> Exception:
    quoted = field.type in TEXT_TYPES or field.type in ("id", "reference")
    name = "string" if quoted else _TYPE_NAMES.get(field.type, field.type)
    wanted = f"{name} and should {'' if quoted else 'not '}be enclosed in quotes"
    return scope.refusal(condition.name, f"value of filter criterion for field '{field.name}' must be of type {wanted}")
