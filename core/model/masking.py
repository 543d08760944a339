"""Changes as they may be shown to a person: field by field, with their phone numbers masked."""

from __future__ import annotations

from typing import Any

from ..numbers import mask_numbers, mask_text
from .reasons import parse_reason
from .shapes import ObjectShape
from .values import Change, Companion, Value


def mask_change(change: Change, shape: ObjectShape | None, *, reveal: bool = False) -> dict[str, Any]:
    """Return a change as JSON values: ``{"object", "id", "fields": {name: {"old", "new"}}}``.

    Numbers are masked unless ``reveal``. Without a shape every text but that of a reason is masked as a whole, because
    any field might be a phone field.
    """
    numbers = _number_fields(shape) if shape else None

    fields: dict[str, dict[str, Any]] = {}
    for item in change.fields:
        masked = not reveal and (numbers is None or item.field in numbers)
        fields[item.field] = {"old": _to_json(item.old, masked=masked), "new": _to_json(item.new, masked=masked)}
    return {"object": change.object, "id": change.id, "fields": fields}


def _number_fields(shape: ObjectShape) -> frozenset[str]:
    names: set[str] = set()
    for slot in shape.slots:
        names |= {slot.field, slot.companions[Companion.E164], slot.companions[Companion.SCREENED_VALUE]}
    return frozenset(names)


def _to_json(value: Value, *, masked: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _mask(value) if masked else value
    return value.isoformat().replace("+00:00", "Z")


def _mask(value: str) -> str:
    # A reason holds no full number, and says why a slot was written.
    return mask_numbers(value) if parse_reason(value) else mask_text(value)
