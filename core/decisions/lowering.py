"""What lowers a record's opt-out flags, and which of them a lift may lower. Pure.

Lowering is the one loosening that ringfence does, for a person with a reason (docs/contract.md, section 4).
"""

from __future__ import annotations

from ..model.record_view import RecordView
from ..model.shapes import SEPARATOR, ObjectShape, OptOutFlag
from ..model.values import FieldChange, Value


def lowered(flag: OptOutFlag, present: Value) -> Value:
    """Return what the flag's field holds once it is down, where it holds ``present`` now.

    Of several values those stay that ask for nothing. A flag of two values gets the other one; any other field is
    emptied.
    """
    if isinstance(flag.raised, bool):
        return not flag.raised
    if isinstance(present, str) and SEPARATOR in present:
        members = (member.strip() for member in present.split(SEPARATOR))
        return SEPARATOR.join(member for member in members if member and not flag.is_up(member)) or None
    return None


def flags_of(shape: ObjectShape) -> list[OptOutFlag]:
    """Return the flags of an object that ringfence may write."""
    return list(shape.own_flags().values())


def is_flag(shape: ObjectShape, field: str) -> bool:
    """Return whether a field is an opt-out flag of the object."""
    return any(flag.field == field for flag in flags_of(shape))


def lowers_flag(shape: ObjectShape, change: FieldChange) -> bool:
    """Return whether a change of a flag's field takes the flag down."""
    return any(
        flag.field == change.field and flag.is_up(change.old) and not flag.is_up(change.new) for flag in flags_of(shape)
    )


def lower_flags(view: RecordView) -> list[FieldChange]:
    """Return what lowers each flag of the record that is up; one that no value lowers stays out."""
    held = {flag.field: (flag, view.record.values.get(flag.field)) for flag in flags_of(view.shape)}
    changes = [FieldChange(name, value, lowered(flag, value)) for name, (flag, value) in held.items()]
    return [each for each in changes if held[each.field][0].is_up(each.old) and not held[each.field][0].is_up(each.new)]
