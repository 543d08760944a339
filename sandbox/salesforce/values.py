"""From JSON values of a request to stored values, with the refusals of the service on the way.

Messages as recorded (INVALID_FIELD, INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST, INVALID_EMAIL_ADDRESS, MALFORMED_ID,
REQUIRED_FIELD_MISSING) or as public projects quote them (STRING_TOO_LONG, JSON_PARSER_ERROR).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from .access import Access
from .errors import ApiError, RowError, unparsable
from .ids import full_id
from .schema import TEXT_TYPES, FieldSpec
from .table import Value
from .wire import parse_moment, stamp_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
_TOKENS = {
    dict: "START_OBJECT",
    list: "START_ARRAY",
    str: "VALUE_STRING",
    int: "VALUE_NUMBER_INT",
    float: "VALUE_NUMBER_FLOAT",
}


def stored_values(fields: Mapping[str, Value | datetime]) -> dict[str, Value]:
    """Return values as rows hold them: moments (aware) become stamps."""
    return {name: stamp_text(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def read_values(access: Access, payload: Mapping[str, object]) -> dict[str, Value]:
    """Return the values of a row by canonical field name.

    Raises ApiError for a value whose JSON type does not fit its field (the parser of the service fails on the whole
    request), and RowError for a field that does not exist or is hidden from the user.
    """
    values: dict[str, Value] = {}
    for name, value in payload.items():
        if name == "attributes":
            continue
        field = access.visible.get(name.lower())
        if field is None:
            raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {access.spec.name}")
        values[field.name] = value if value is None else read_value(field, value)
    return values


def read_value(field: FieldSpec, value: object) -> Value:
    """Return a value that is not null as the field stores it; raises ApiError where its JSON type does not fit."""
    if field.type in TEXT_TYPES or field.type in ("reference", "id"):
        if isinstance(value, str):
            text = value.strip()
            return (full_id(text) if field.type == "reference" else None) or text or None
        raise _unfit("string", value)
    if field.type == "boolean":
        word = {True: True, False: False, "true": True, "false": False}.get(value) if _scalar(value) else None
        if word is None or isinstance(value, int) is not isinstance(value, bool):
            raise _unfit("boolean", value)
        return word

    return _read_other(field, value)


def _read_other(field: FieldSpec, value: object) -> Value:
    try:
        if field.type == "datetime" and isinstance(value, str):
            return stamp_text(parse_moment(value))
        if field.type == "date" and isinstance(value, str):
            return date.fromisoformat(value).isoformat()
        if field.type == "int" and isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        raise _unfit(field.type, value) from None
    raise _unfit(field.type, value)


def _scalar(value: object) -> bool:
    return isinstance(value, bool | int | str)


def _unfit(wanted: str, value: object) -> ApiError:
    if isinstance(value, bool):
        token = "VALUE_TRUE" if value else "VALUE_FALSE"
    else:
        token = _TOKENS.get(type(value), "VALUE_EMBEDDED_OBJECT")
    shown = value if _scalar(value) or isinstance(value, float) else ("{" if isinstance(value, dict) else "[")
    place = "or request may be missing a required field at [line:1, column:1]"
    return unparsable(f"Cannot deserialize instance of {wanted} from {token} value {shown} {place}")


def check_values(fields: Mapping[str, FieldSpec], values: Mapping[str, Value]) -> None:
    """Raise RowError for values that their fields cannot hold; it names the first kind of mistake."""
    missing = [name for name, value in values.items() if value is None and not fields[name].nillable]
    if missing:
        raise missing_fields(missing)
    for name, value in values.items():
        if isinstance(value, str):
            _check_text(fields[name], value)


def missing_fields(names: list[str]) -> RowError:
    """Return the refusal of a row without the fields that it needs."""
    return RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names)


def _check_text(field: FieldSpec, value: str) -> None:
    if field.type in TEXT_TYPES and len(value) > field.length:
        text = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise RowError("STRING_TOO_LONG", text, (field.name,))
    if field.restricted and value not in field.picklist:
        text = f"{field.label}: bad value for restricted picklist field: {value}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, (field.name,))
    if field.type == "email" and not _EMAIL.match(value):
        raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", (field.name,))
    if field.type == "reference" and full_id(value) is None:
        raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", (field.name,))
