"""A change as a reviewer sees it: the flag that goes up, the phones rewritten, what becomes of each slot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from .field_roles import FLAG, PHONE, FieldRole, FieldRoles
from .values import Change, Companion, FieldChange
from .verdicts import Status


class Kind(StrEnum):
    """What a change does, in the order in which a reviewer wants to know of it."""

    FLAG_RAISED = "flag_raised"  # the record's opt-out flag goes up
    FLAG_LOWERED = "flag_lowered"  # it comes down, by a person's word
    PHONE_REWRITTEN = "phone_rewritten"  # the phone field itself
    INVALID = "invalid"  # a slot is called invalid
    SILENCED = "silenced"  # a slot says do_not_contact
    VERDICT = "verdict"  # a slot gets another status than these
    EMPTIED = "emptied"  # the companions of a slot lose their verdict
    REFRESHED = "refreshed"  # the status of a slot stays, something else about it changes
    OTHER = "other"  # fields that belong to no slot


_KINDS = {Status.INVALID.value: Kind.INVALID, Status.DO_NOT_CONTACT.value: Kind.SILENCED}


class SlotChange(NamedTuple):
    """What a change does to the companions of a slot, by companion."""

    slot: str
    companions: Mapping[str, FieldChange]

    @property
    def status(self) -> tuple[str, str] | None:
        """Return the old and the new status, empty for none; None where the change leaves it."""
        item = self.companions.get(Companion.STATUS)
        return None if item is None else (_text(item.old), _text(item.new))

    @property
    def reason(self) -> str:
        """Return the new reason; empty where there is none or the change leaves it."""
        return self._new(Companion.REASON)

    @property
    def content(self) -> str:
        """Return what the phone field holds, where the change tells it."""
        return self._new(Companion.SCREENED_VALUE)

    @property
    def e164(self) -> str:
        """Return the number in E.164, where the change tells it."""
        return self._new(Companion.E164)

    @property
    def kind(self) -> Kind:
        """Return what becomes of the slot."""
        if self.status is None:
            return Kind.REFRESHED
        new = self.status[1]
        return _KINDS.get(new, Kind.VERDICT) if new else Kind.EMPTIED

    def _new(self, companion: Companion) -> str:
        item = self.companions.get(companion)
        return "" if item is None else _text(item.new)


class ChangeView(NamedTuple):
    """A change, taken apart: ``flag`` and ``rewrites`` are those of its fields that do just that."""

    change: Change
    flag: FieldChange | None
    rewrites: tuple[FieldChange, ...]
    slots: tuple[SlotChange, ...]
    others: tuple[FieldChange, ...]

    @property
    def kinds(self) -> list[Kind]:
        """Return what the change does, each kind once, the weightiest first."""
        found = {slot.kind for slot in self.slots}
        if self.flag:
            # Nothing but a lift writes flags alone; what a value means, the journal does not tell.
            is_lift = not (self.flag.new or self.slots or self.rewrites or self.others)
            found.add(Kind.FLAG_LOWERED if is_lift else Kind.FLAG_RAISED)
        found |= {Kind.PHONE_REWRITTEN} if self.rewrites else set()
        found |= {Kind.OTHER} if self.others else set()
        return [kind for kind in Kind if kind in found]

    def statuses(self) -> list[str]:
        """Return the statuses that slots get."""
        return [slot.status[1] for slot in self.slots if slot.status]


def view_change(change: Change, roles: FieldRoles) -> ChangeView:
    """Return the change taken apart by the roles of its fields.

    A phone field is known without a role too: its write is guarded by what it must still hold.
    """
    flag: FieldChange | None = None
    rewrites: list[FieldChange] = []
    others: list[FieldChange] = []
    slots: dict[str, dict[str, FieldChange]] = {}

    known = roles.of_object(change.object)
    for item in map(FieldChange, change.names, change.old, change.new):
        kind, slot = known.get(item.field, _NO_ROLE)
        if kind == PHONE or (not kind and item.field in change.guard):
            rewrites.append(item)
        elif kind == FLAG:
            flag = item
        elif kind:
            slots.setdefault(slot, {})[kind] = item
        else:
            others.append(item)

    return ChangeView(change, flag, tuple(rewrites), tuple(SlotChange(*slot) for slot in slots.items()), tuple(others))


_NO_ROLE = FieldRole("")


def _text(value: object) -> str:
    return "" if value is None else str(value)
