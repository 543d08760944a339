"""Changes as they may be shown to a person: field by field, with their phone numbers masked."""

from __future__ import annotations

import re
from typing import Any

from ..numbers import mask_numbers, mask_text
from .field_roles import FLAG, HOLD_NUMBERS, FieldRole, FieldRoles
from .reasons import parse_reason
from .shapes import ObjectShape
from .values import Change, Companion, Value

_SENTENCES = frozenset((Companion.REASON, FLAG))
_LIKE_A_REASON = re.compile(r"[a-z][a-z_]*: \S")
"""How every reason begins, also that of another version: a code and a sentence."""


def mask_change(change: Change, shape: ObjectShape | None, *, reveal: bool = False) -> dict[str, Any]:
    """Return a change as JSON values: ``{"object", "id", "fields": {name: {"old", "new"}}}``.

    Numbers are masked unless ``reveal``. Without a shape every text but that of a reason is masked as a whole, because
    any field might be a phone field.
    """
    roles = FieldRoles.of({shape.name: shape} if shape else {})
    return show_change(change, roles, reveal=reveal)


def show_change(change: Change, roles: FieldRoles, *, reveal: bool = False) -> dict[str, Any]:
    """Return a change as :func:`mask_change` does, its fields told apart by their roles."""
    known = roles.of_object(change.object)
    fields = {
        item.field: {
            "old": show_value(item.old, known.get(item.field), reveal=reveal),
            "new": show_value(item.new, known.get(item.field), reveal=reveal),
        }
        for item in change.fields
    }
    return {"object": change.object, "id": change.id, "fields": fields}


def show_value(value: Value, role: FieldRole | None, *, reveal: bool = False) -> Any:
    """Return a field's value as a JSON value, with the numbers in it masked unless ``reveal``.

    Of a field that holds numbers, or may (it has no role), the whole text is masked; a sentence such as a reason stays
    readable, and loses the numbers in it alone.
    """
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return value.isoformat().replace("+00:00", "Z")
    if reveal:
        return value
    if role is None:
        return mask_numbers(value) if _is_sentence(value) else mask_text(value)
    if role.kind in HOLD_NUMBERS:
        return mask_text(value)
    return mask_numbers(value) if role.kind in _SENTENCES else value


def _is_sentence(value: str) -> bool:
    return parse_reason(value) is not None or _LIKE_A_REASON.match(value) is not None
