"""WHERE -> a function of a row, with the comparison rules of Salesforce.

Texts compare without regard to case; `!=` and NOT IN also match null; `<`, `<=`, `>`, `>=` and LIKE never do; ids may
be written with 15 or 18 characters (SOQL and SOSL Reference, "Comparison Operators").
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from .access import Access
from .errors import ApiError
from .ids import full_id
from .schema import TEXT_TYPES, FieldSpec
from .soql_parser import Comparison, Condition, Constant, Group, Token
from .table import Row, Value

Test = Callable[[Row], bool]
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TYPE_NAMES = {"datetime": "dateTime", "boolean": "boolean", "date": "date", "int": "int"}
_KINDS = {"datetime": ("moment",), "date": ("date",), "boolean": ("boolean",), "int": ("number",)}


@dataclass(frozen=True, slots=True)
class Scope:
    """The query text, for the caret picture in refusals, and the object as the user sees it."""

    text: str
    access: Access

    def field(self, token: Token) -> FieldSpec:
        """Return the field that a token names; raises ApiError INVALID_FIELD with the caret picture."""
        spec = self.access.visible.get(token.text.lower())
        if spec is not None:
            return spec

        name = self.access.spec.name
        if "." in token.text:
            relation = token.text.split(".")[0]
            raise self.refusal(token, f"Didn't understand relationship '{relation}' in field path.")

        raise self.refusal(
            token,
            f"No such column '{token.text}' on entity '{name}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )

    def refusal(self, token: Token, message: str) -> ApiError:
        """Return an INVALID_FIELD refusal that points at a token."""
        return ApiError(400, "INVALID_FIELD", caret(self.text, token.at) + message)


def caret(text: str, at: int) -> str:
    """Return the picture that precedes a message: the query around the place, a caret below it, row and column."""
    row = text.count("\n", 0, at) + 1
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].split("\n", 1)[0]
    column = at - line_start
    left = max(0, column - 60)
    return f"\n{line[left : column + 60]}\n{' ' * (column - left)}^\nERROR at Row:{row}:Column:{column + 1}\n"


def compile_condition(scope: Scope, condition: Condition) -> Test:
    """Return the test of a condition; raises ApiError for fields and values that do not fit."""
    if isinstance(condition, Comparison):
        return _comparison(scope, condition)
    tests = [compile_condition(scope, part) for part in condition.parts]
    if condition.joint == "NOT":
        inner = tests[0]
        return lambda row: not inner(row)
    test = tests[-1]
    for earlier in reversed(tests[:-1]):
        test = _both(earlier, test) if condition.joint == "AND" else _either(earlier, test)
    return test


def conjuncts(condition: Condition | None) -> list[Condition]:
    """Return the parts that must all hold."""
    if isinstance(condition, Group) and condition.joint == "AND":
        return [part for inner in condition.parts for part in conjuncts(inner)]
    return [] if condition is None else [condition]


def _both(first: Test, second: Test) -> Test:
    return lambda row: first(row) and second(row)


def _either(first: Test, second: Test) -> Test:
    return lambda row: first(row) or second(row)


def _comparison(scope: Scope, condition: Comparison) -> Test:
    field = scope.field(condition.name)
    if not field.filterable:
        raise scope.refusal(condition.name, f"field '{field.name}' can not be filtered in a query call")
    if condition.operator == "LIKE":
        return _like(scope, condition, field)
    if condition.operator == "INCLUDES":
        return _includes(scope, condition, field)

    values = [_value(scope, condition.name, field, constant) for constant in condition.values]
    folds = field.type in TEXT_TYPES
    if condition.operator in _ORDERINGS:
        if field.type == "boolean":
            text = f"invalid operator on {field.type} field"
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", caret(scope.text, condition.name.at) + text)
        return _ordering(field.name, _ORDERINGS[condition.operator], values[0], folds=folds)

    return _membership(field.name, values, folds=folds, negated=condition.operator in ("!=", "NOT IN"))


def _ordering(name: str, holds: Callable[[Any, Any], bool], bound: Value, *, folds: bool) -> Test:
    if bound is None:
        return lambda _row: False
    if folds:
        return lambda row: (value := row.get(name)) is not None and holds(str(value).lower(), bound)
    return lambda row: (value := row.get(name)) is not None and holds(value, bound)


def _membership(name: str, values: list[Value], *, folds: bool, negated: bool) -> Test:
    allowed = frozenset(values)
    if folds:

        def found(row: Row) -> bool:
            value = row.get(name)
            return (value.lower() if isinstance(value, str) else value) in allowed
    else:

        def found(row: Row) -> bool:
            return row.get(name) in allowed

    return (lambda row: not found(row)) if negated else found


def _like(scope: Scope, condition: Comparison, field: FieldSpec) -> Test:
    constant = condition.values[0]
    if field.type not in TEXT_TYPES - {"multipicklist"} or constant.kind != "string":
        text = f"invalid operator on {field.type} field"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", caret(scope.text, condition.name.at) + text)
    matches = re.compile(constant.like, re.IGNORECASE | re.DOTALL).fullmatch
    name = field.name
    return lambda row: (value := row.get(name)) is not None and matches(str(value)) is not None


def _includes(scope: Scope, condition: Comparison, field: FieldSpec) -> Test:
    """Return the test for a field that holds all the members of any of the values, which are split by semicolons."""
    if field.type != "multipicklist" or any(constant.kind != "string" for constant in condition.values):
        text = f"invalid operator on {field.type} field"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", caret(scope.text, condition.name.at) + text)
    wanted = [set(constant.text.lower().split(";")) for constant in condition.values]
    return lambda row: any(members <= set(str(row.get(field.name) or "").lower().split(";")) for members in wanted)


def _value(scope: Scope, token: Token, field: FieldSpec, constant: Constant) -> Value:
    if constant.kind == "null":
        return None
    if field.type in TEXT_TYPES or field.type in ("id", "reference"):
        if constant.kind != "string":
            raise _misfit(scope, token, field, "string and should be enclosed in quotes")
        return constant.text.lower() or None if field.type in TEXT_TYPES else _id(scope, token, constant.text)
    if constant.kind not in _KINDS[field.type]:
        raise _misfit(scope, token, field, f"{_TYPE_NAMES[field.type]} and should not be enclosed in quotes")
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
        raise ApiError(400, "MALFORMED_QUERY", f"Invalid {field.type}: {text}") from error


def _misfit(scope: Scope, token: Token, field: FieldSpec, wanted: str) -> ApiError:
    return scope.refusal(token, f"value of filter criterion for field '{field.name}' must be of type {wanted}")


def _id(scope: Scope, token: Token, text: str) -> str:
    found = full_id(text)
    if found is None:
        message = f"invalid ID field: {text}"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", caret(scope.text, token.at) + message)
    return found
