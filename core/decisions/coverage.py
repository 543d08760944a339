"""Whether an opt-out covers a slot, and by which number it does."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..model.record_view import Reading
from ..model.shapes import Slot
from ..numbers import mask


def is_covered(reading: Reading, slot: Slot, tightened: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers the slot: the record's own flag, or another record's on the same number."""
    return reading.flagged or (bool(tightened) and not tightened.isdisjoint(reading.e164s(slot)))


def name_carrier(reading: Reading, slot: Slot, tightened: AbstractSet[str]) -> str:
    """Return the number, masked, and the field by which another record's opt-out reaches a slot.

    Empty where it comes by the slot's own number, which needs no naming.
    """
    own = next(iter(reading.e164s(slot)), None)
    if own in tightened:
        return ""
    for other in (slot, *reading.shape.slots):
        for e164 in reading.e164s(other):
            if e164 in tightened:
                return f"{mask(e164)} in {other.field}"
    return ""
