"""Changes as they may be shown: field by field, numbers masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..numbers import mask_text
from .shapes import ObjectShape
from .values import Change, Companion, Value


def mask_change(change: Change, shape: ObjectShape | None, *, reveal: bool = False) -> dict[str, Any]:
    """Return a change as JSON values; numbers are masked unless ``reveal``.

    Without a shape every text is masked, because any field might be a phone field.
    """
    numbers = _number_fields(shape) if shape else None
    fields: Mapping[str, dict[str, Any]] = {
        item.field: {
            side: _shown(value, masked=not reveal and (numbers is None or item.field in numbers))
            for side, value in (("old", item.old), ("new", item.new))
        }
        for item in change.fields
    }
    return {"object": change.object, "id": change.id, "fields": dict(fields)}


def _number_fields(shape: ObjectShape) -> frozenset[str]:
    named = {slot.field for slot in shape.slots}
    named.update(slot.companions[c] for slot in shape.slots for c in (Companion.E164, Companion.SCREENED_VALUE))
    return frozenset(named)


def _shown(value: Value, *, masked: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return mask_text(value) if masked else value
    return value.isoformat().replace("+00:00", "Z")
