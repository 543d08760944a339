"""A mapping resolved for one CRM: the phone slots, companions and other fields of each object, by field name."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .values import Companion, Record, Value


@dataclass(frozen=True, slots=True)
class Slot:
    """One phone field and its six companions, by CRM field name; fewer where a dry run comes before the set-up.

    ``normalize`` allows the phone field itself to be rewritten to E.164.
    """

    field: str
    companions: Mapping[Companion, str]
    normalize: bool = False


class Spread(StrEnum):
    """How an opt-out reaches the other records that hold the number."""

    FLAGS = "flags"  # their flag is raised, which silences all their slots
    SLOTS = "slots"  # the slots that hold the number are silenced, and no flag is raised


SEPARATOR = ";"
"""What stands between the values of a field that holds several, in every CRM that has such fields."""

_KEPT = 256
"""Values of an opt-out field of which it is kept what they mean: nearly every such field has two."""


@dataclass(frozen=True, slots=True)
class OptOutFlag:
    """The opt-out field of an object, and the values of it that mean "do not contact"; the first one is written.

    ``multiple`` tells that the field may hold several values at once, in one text with semicolons between them.
    """

    field: str
    true_values: tuple[Value, ...]
    multiple: bool = False
    _told: dict[Value, bool] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def raised(self) -> Value:
        """Return the value that raises the flag where the field holds nothing."""
        return self.true_values[0]

    def is_up(self, value: Value) -> bool:
        """Return whether the field's value means "do not contact"; of several values, any one of them."""
        told = self._told.get(value)
        if told is None:
            told = self._tell(value)
            if len(self._told) < _KEPT:
                self._told[value] = told
        return told

    def _tell(self, value: Value) -> bool:
        if any(_same(value, true) for true in self.true_values):
            return True
        if not isinstance(value, str) or SEPARATOR not in value:
            return False
        return any(_same(member, true) for member in value.split(SEPARATOR) for true in self.true_values)

    def raise_over(self, present: Value) -> Value:
        """Return what raises the flag where the field holds ``present``: of several values, the others are kept."""
        if not isinstance(present, str) or not (self.multiple or SEPARATOR in present):
            return self.raised
        members = [member.strip() for member in present.split(SEPARATOR)]
        return SEPARATOR.join([*filter(None, members), str(self.raised)])


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """All fields that ringfence reads and writes on one CRM object, and the rules that go with them.

    ``filter`` is the CRM's own condition on the records to screen. ``spread`` tells how an opt-out reaches the object's
    records; a number that more than ``spread_limit`` records hold is a switchboard, and an opt-out on it raises no
    flags. ``status_fields`` are the status companions of the slots that have one.
    """

    name: str
    slots: tuple[Slot, ...]
    opt_out: OptOutFlag | None = None
    region_field: str | None = None
    default_region: str | None = None
    channel_field: str | None = None
    tier_field: str | None = None
    filter: Any = None
    spread_limit: int = 25
    spread: Spread = Spread.FLAGS
    status_fields: tuple[str, ...] = dataclasses.field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        statuses = (slot.companions.get(Companion.STATUS) for slot in self.slots)
        object.__setattr__(self, "status_fields", tuple(filter(None, statuses)))

    def companion_fields(self) -> tuple[str, ...]:
        """Return the companions of all slots."""
        return tuple(name for slot in self.slots for name in slot.companions.values())

    def input_fields(self) -> tuple[str, ...]:
        """Return the fields that are read as input: never written, but for the flag and phone fields to normalise."""
        names = [slot.field for slot in self.slots]
        names += [name for name in (self.region_field, self.channel_field, self.tier_field) if name]
        if self.opt_out:
            names.append(self.opt_out.field)
        return tuple(dict.fromkeys(names))

    def read_fields(self) -> tuple[str, ...]:
        """Return every field a sync reads, each once."""
        return tuple(dict.fromkeys((*self.input_fields(), *self.companion_fields())))

    def owned_fields(self) -> frozenset[str]:
        """Return every field a sync may write (docs/contract.md, section 2)."""
        owned = set(self.companion_fields())
        owned.update(slot.field for slot in self.slots if slot.normalize)
        if self.opt_out:
            owned.add(self.opt_out.field)
        return frozenset(owned)

    def without(self, absent: Container[str]) -> ObjectShape:
        """Return the shape of an account that lacks some of the fields that a set-up creates: companions, the flag.

        The slots keep those of their companions that are there.
        """
        slots = tuple(
            replace(slot, companions={one: name for one, name in slot.companions.items() if name not in absent})
            for slot in self.slots
        )
        flag = self.opt_out if self.opt_out is not None and self.opt_out.field not in absent else None
        return replace(self, slots=slots, opt_out=flag)

    def is_flagged(self, record: Record) -> bool:
        """Return whether the record's opt-out flag is up; never without a flag in the mapping."""
        if self.opt_out is None:
            return False
        return self.opt_out.is_up(record.values.get(self.opt_out.field))


def _same(value: Value, true: Value) -> bool:
    if isinstance(value, str) and isinstance(true, str):
        return value.strip().casefold() == true.strip().casefold()
    return type(value) is type(true) and value == true
