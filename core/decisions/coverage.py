"""Whether an opt-out covers a slot, and by which number it does."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..model.record_view import RecordView
from ..model.shapes import Slot
from ..numbers import mask


def is_covered(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers the slot: the record's own flag, or another record's on the same number."""
    return view.flagged or (bool(covered) and not covered.isdisjoint(view.e164s(slot)))


def describe_related_number(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> str:
    """Return the number, masked, and the field by which another record's opt-out reaches a slot.

    Empty where it comes by the slot's own number, which needs no naming.
    """
    own = next(iter(view.e164s(slot)), None)
    if own in covered:
        return ""
    for other in (slot, *view.shape.slots):
        for e164 in view.e164s(other):
            if e164 in covered:
                return f"{mask(e164)} in {other.field}"
    return ""


def can_be_flagged(view: RecordView) -> bool:
    """Return whether the record has an opt-out flag that is down: another record's opt-out would raise it."""
    return view.shape.opt_out is not None and not view.flagged
