"""The filters of a search: operators and how each compares the types of properties.

Text is compared without regard to case. The negative operators (NEQ, NOT_IN, NOT_CONTAINS_TOKEN) leave out records
without a value (unverified; the stricter reading, so that a client asks for NOT_HAS_PROPERTY where it means it).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from . import instants
from .definitions import Definition
from .errors import bad_request
from .index import Document, Predicate

VALUES = 100
SEARCHED = ("firstname", "lastname", "email", "phone", "mobilephone", "company", "name", "domain")
OPERATORS = (
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
)

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """One checked filter; `operands` are the values in comparable form."""

    name: str
    operator: str
    operands: tuple[Any, ...]

    @classmethod
    def read(cls, raw: Any, definitions: Mapping[str, Definition]) -> "Filter":
        """Check one filter of a request; raises RefusalError(400)."""
        if not isinstance(raw, dict) or not isinstance(raw.get("propertyName"), str):
            raise bad_request("Invalid input JSON: a filter needs propertyName and operator")

        name, operator = raw["propertyName"], raw.get("operator")
        if operator not in OPERATORS:
            raise bad_request(f"Invalid input JSON: operator {operator} is none of [{', '.join(OPERATORS)}]")

        definition = definitions.get(name)
        if definition is None:
            raise bad_request(f'Property "{name}" does not exist')

        values = _raw_values(raw, operator)
        try:
            return cls(name, operator, tuple(_comparable(str(value), definition.type) for value in values))
        except (ValueError, OverflowError):
            raise bad_request(f"A value of the filter on {name} is not a valid {definition.type}.") from None

    @property
    def key(self) -> tuple[Any, ...]:
        """A tuple that is equal for equal filters only."""
        return (self.name, self.operator, *self.operands)

    @property
    def id_floor(self) -> int | None:
        """The lowest record id that passes, if the filter is a lower bound on the record id; otherwise None."""
        if self.name != "hs_object_id" or self.operator not in {"GT", "GTE"}:
            return None
        return int(self.operands[0]) + (self.operator == "GT")


def predicate_of(
    groups: list[list[Filter]], definitions: Mapping[str, Definition], modified_property: str
) -> Predicate:
    """Return the test for: any group, in which every filter passes. No group passes everything."""
    tests = [[_on_document(each, definitions, modified_property) for each in group] for group in groups]
    if not tests:
        return lambda _document: True
    if len(tests) == 1:
        return _every(tests[0])
    alternatives = [_every(group) for group in tests]
    return lambda document: any(test(document) for test in alternatives)


def full_text(words: str, inner: Predicate) -> Predicate:
    """Return `inner` narrowed to documents in which every word begins some word of the searched properties."""
    wanted = _tokens(words)
    if not wanted:
        return inner

    def test(document: Document) -> bool:
        text = " ".join(document.properties.get(name, "") for name in SEARCHED)
        held = _tokens(text)
        return all(any(token.startswith(word) for token in held) for word in wanted) and inner(document)

    return test


def _every(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) and second(document)
    return lambda document: all(test(document) for test in tests)


def _raw_values(raw: Mapping[str, Any], operator: str) -> list[Any]:
    match operator:
        case "HAS_PROPERTY" | "NOT_HAS_PROPERTY":
            return []
        case "IN" | "NOT_IN":
            values = raw.get("values")
            if not isinstance(values, list) or not values or len(values) > VALUES:
                raise bad_request(f"The operator {operator} needs 1 to {VALUES} values.")
            return values
        case "BETWEEN":
            values = [raw.get("value"), raw.get("highValue")]
        case _:
            values = [raw.get("value")]

    if any(value is None or isinstance(value, (list, dict)) for value in values):
        raise bad_request(f"The operator {operator} needs a value.")

    return values


def _comparable(value: str, kind: str) -> Any:
    if kind in {"date", "datetime"}:
        return instants.parse(value)
    return float(value) if kind == "number" else value.casefold()


def _on_document(each: Filter, definitions: Mapping[str, Definition], modified_property: str) -> Predicate:
    name, test = each.name, _TESTS[each.operator](each.operands)
    if name == modified_property:
        return lambda document: test(document.modified)
    if name == "hs_object_id":
        return lambda document: test(document.id)
    if each.operator == "HAS_PROPERTY":
        return lambda document: name in document.properties
    if each.operator == "NOT_HAS_PROPERTY":
        return lambda document: name not in document.properties

    kind = definitions[name].type
    if kind not in {"date", "datetime", "number"}:
        # Most filters are on text; without the detour a scan of 100,000 documents takes half the time.
        return lambda document: name in document.properties and test(document.properties[name].casefold())

    def on_value(document: Document) -> bool:
        value = document.properties.get(name)
        return value is not None and test(_comparable(value, kind))

    return on_value


def _contains(operands: tuple[Any, ...]) -> Test:
    words = re.findall(r"[\w*]+", str(operands[0]))

    def test(value: Any) -> bool:
        held = _tokens(str(value))
        return bool(words) and all(any(fnmatchcase(token, word) for token in held) for word in words)

    return test


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


_TESTS: dict[str, Callable[[tuple[Any, ...]], Test]] = {
    "EQ": lambda given: lambda value: bool(value == given[0]),
    "NEQ": lambda given: lambda value: bool(value != given[0]),
    "LT": lambda given: lambda value: bool(value < given[0]),
    "LTE": lambda given: lambda value: bool(value <= given[0]),
    "GT": lambda given: lambda value: bool(value > given[0]),
    "GTE": lambda given: lambda value: bool(value >= given[0]),
    "BETWEEN": lambda given: lambda value: bool(given[0] <= value <= given[1]),
    "IN": lambda given: frozenset(given).__contains__,
    "NOT_IN": lambda given: lambda value: value not in given,
    "HAS_PROPERTY": lambda _given: lambda _value: True,
    "NOT_HAS_PROPERTY": lambda _given: lambda _value: False,
    "CONTAINS_TOKEN": _contains,
    "NOT_CONTAINS_TOKEN": lambda given: lambda value: not _contains(given)(value),
}
