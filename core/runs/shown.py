"""What a summary shows, as JSON values: its own fields, and a change with its numbers masked."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from typing import Any

from ..model.masking import mask_change
from ..model.values import Companion
from ..numbers import mask_text
from .outcomes import ShownChange

_INTERNAL = ("end", "tally", "oldest_fresh", "calls_of_parts", "planned")
"""Fields of summaries that are told in another form, or not at all."""


def as_values(summary: Any) -> dict[str, Any]:
    """Return the fields of a summary as plain values, but for its end."""
    shown = [each for each in fields(summary) if each.name not in _INTERNAL]
    return {each.name: _as_value(getattr(summary, each.name)) for each in shown}


def _as_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_value(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_value(each) for name, each in value.items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def show_change(shown: ShownChange) -> dict[str, Any]:
    """Return a change as JSON values, masked, with what it does to each slot it touches."""
    change, shape, contents = shown
    by_field = {item.field: item for item in change.fields}
    slots = []
    for slot in shape.slots:
        changed = {companion: by_field[name] for companion, name in slot.companions.items() if name in by_field}
        if not changed:
            continue

        status, reason = changed.get(Companion.STATUS), changed.get(Companion.REASON)
        slots.append(
            {
                "slot": slot.field,
                "content": mask_text(contents[slot.field]),
                "status": [status.old, status.new] if status else None,
                "reason": reason.new if reason else None,
                "changed": [companion.value for companion in changed],
            }
        )
    return {**mask_change(change, shape), "slots": slots}
