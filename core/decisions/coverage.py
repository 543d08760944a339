"""What an opt-out covers. The rule stands here alone.

An opt-out covers a slot in one of two ways: the record's own flag is up, which silences all its slots; or another
record's opt-out covers a number that the slot holds, the screened one or a further one in the same field. A record that
holds a covered number in any slot is *reached*: its own flag is to be raised, and then that covers its other slots.

``covered`` is everywhere the set of E.164 numbers that the opt-outs of other records cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot
from ..model.values import Companion, Value
from ..model.verdicts import Facts, OptOut, Status, Verdict, judge, offline_facts, with_opt_out
from ..numbers import Number, mask


def is_covered(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers the slot: the record's own flag, or another record's on the same number."""
    return view.flagged or (bool(covered) and not covered.isdisjoint(view.e164s(slot)))


def is_record_covered(view: RecordView, covered: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers any slot of the record."""
    return view.flagged or not covered.isdisjoint(view.all_e164s())


def can_raise_flag(view: RecordView) -> bool:
    """Return whether the record has an opt-out flag in the mapping that is not up."""
    return view.shape.opt_out is not None and not view.flagged


def is_reached(view: RecordView, covered: AbstractSet[str]) -> bool:
    """Return whether another record's opt-out covers a number of the record, and its own flag is still to be raised."""
    return can_raise_flag(view) and not covered.isdisjoint(view.all_e164s())


def speaks_under_its_flag(view: RecordView) -> bool:
    """Return whether the record's own flag is up and the companions of a filled slot do not say so yet."""
    return view.flagged and any(
        view.held(slot, Companion.STATUS) != Status.DO_NOT_CONTACT or not view.is_current(slot)
        for slot in view.shape.slots
        if view.content(slot)
    )


def silence(view: RecordView, slot: Slot, covered: AbstractSet[str], now: datetime) -> Verdict:
    """Return the verdict on a slot that an opt-out covers, or that the record's flag will cover once it is raised.

    ``now`` is in whole seconds UTC: the time at which the opt-out was seen. The record's own flag is named as the
    reason before any other record's.
    """
    facts = offline_facts(view.number(slot), now)
    if view.flagged:
        return judge(with_opt_out(facts, OptOut.OWN, now))
    return judge(with_opt_out(facts, OptOut.SHARED, now, describe_related_number(view, slot, covered)))


def describe_related_number(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> str:
    """Return the number, masked, and the field by which another record's opt-out reaches a slot.

    Empty where it comes by the slot's own number, which needs no naming.
    """
    own = next(iter(view.e164s(slot)), None)
    if own in covered:
        return ""

    for other in (slot, *view.shape.slots):
        if (e164 := find_covered(view.e164s(other), covered)) is not None:
            return f"{mask(e164)} in {other.field}"
    return ""


def find_opt_out(number: Number, covered: AbstractSet[str], now: datetime) -> Facts | None:
    """Return the facts of a number under an opt-out on it, or on a further number in its cell; None without one.

    This is the rule for numbers that stand in no record of a CRM. ``now`` is in whole seconds UTC.
    """
    found = find_covered(number.all_e164s(), covered)
    if found is None:
        return None
    opted_out_via = "" if found == number.e164 else mask(found)
    return with_opt_out(offline_facts(number, now), OptOut.SHARED, now, opted_out_via)


def find_covered(numbers: Iterable[str], covered: AbstractSet[str]) -> str | None:
    """Return the first of the E.164 numbers that an opt-out covers, or None."""
    return next((e164 for e164 in numbers if e164 in covered), None)


def silenced_slots(shape: ObjectShape, values: Mapping[str, Value]) -> Iterator[Slot]:
    """Yield the slots whose status is ``do_not_contact`` among these values by field name."""
    for slot in shape.slots:
        if values.get(slot.companions[Companion.STATUS]) == Status.DO_NOT_CONTACT:
            yield slot
