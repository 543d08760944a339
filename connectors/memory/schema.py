"""The names of companion fields in memory."""

from __future__ import annotations

from ringfence.core.model.values import Companion


def companion_name(slot: str, companion: Companion) -> str:
    """Return the field that holds a slot's companion: ``rf_phone_status``."""
    return f"rf_{slot.lower()}_{companion.value}"
