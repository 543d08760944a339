"""What a property accepts: values are checked and brought into HubSpot's own form before they are stored."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from . import instants
from .definitions import Definition
from .errors import property_problem

DAY = 86_400_000


def check_properties(
    properties: Mapping[str, Any], definitions: Mapping[str, Definition], portal_id: int
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the values to store ("" clears a property) and the problems, one for each refused property."""
    values: dict[str, str] = {}
    problems = []
    for name, raw in properties.items():
        definition = definitions.get(name)
        if definition is None:
            message = f'Property "{name}" does not exist'
            problems.append(property_problem(name, "PROPERTY_DOESNT_EXIST", message, portal_id))
            continue
        if definition.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            problems.append(property_problem(name, "READ_ONLY_VALUE", message, portal_id))
            continue

        text = _text(raw)
        if text == "":
            values[name] = ""
            continue

        try:
            values[name] = _PARSERS[definition.type](text, definition)
        except _UnfitError as unfit:
            problems.append(property_problem(name, unfit.error, str(unfit), portal_id))

    return values, problems


class _UnfitError(ValueError):
    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def _text(raw: Any) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw).strip()


def _string(text: str, definition: Definition) -> str:
    if definition.name != "email":
        return text
    name, at, domain = text.partition("@")
    if not (name and at and "." in domain):
        raise _UnfitError("INVALID_EMAIL", f"Email address {text} is invalid")
    return text.lower()


def _number(text: str, _definition: Definition) -> str:
    try:
        float(text)
    except ValueError:
        raise _UnfitError("INVALID_DOUBLE", f"{text} was not a valid number.") from None
    return text


def _option(text: str, definition: Definition) -> str:
    allowed = definition.values
    chosen = text.split(";") if definition.field_type == "checkbox" else [text]
    for value in chosen:
        if allowed and value not in allowed:
            names = ", ".join(option["value"] for option in definition.options)
            raise _UnfitError("INVALID_OPTION", f"{value} was not one of the allowed options: [{names}]")
    return text


def _datetime(text: str, _definition: Definition) -> str:
    try:
        return instants.instant(instants.parse(text))
    except (ValueError, OverflowError):
        raise _UnfitError("INVALID_LONG", f"{text} was not a valid long.") from None


def _date(text: str, _definition: Definition) -> str:
    try:
        milliseconds = instants.parse(text)
    except (ValueError, OverflowError):
        raise _UnfitError("INVALID_LONG", f"{text} was not a valid long.") from None
    if milliseconds % DAY:
        raise _UnfitError("INVALID_DATE", f"{text} is at {_clock(milliseconds)} UTC, not midnight!")
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%d")


def _clock(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%H:%M:%S")


_PARSERS: dict[str, Callable[[str, Definition], str]] = {
    "string": _string,
    "phone_number": _string,
    "number": _number,
    "bool": _option,
    "enumeration": _option,
    "datetime": _datetime,
    "date": _date,
}
