"""A mapping resolved for one CRM: the phone slots, companions and other fields of each object, by field name."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .blocks import NO_WAY, Channel, counts_as, reaches
from .consent import ConsentFields
from .values import Companion, Record, Value


@dataclass(frozen=True, slots=True)
class Slot:
    """One phone field and its six companions, by CRM field name; fewer where a dry run comes before the set-up.

    ``normalize`` allows the phone field itself to be rewritten to E.164.
    """

    field: str
    companions: Mapping[Companion, str]
    normalize: bool = False


class OptOutPolicy(StrEnum):
    """What it means that somebody clears an opt-out flag by hand (docs/contract.md, section 2)."""

    FOLLOW = "follow"  # the opt-out has ended
    RATCHET = "ratchet"  # it waits for a review, and the flag goes up again


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
    """An opt-out field of an object, and the values of it that mean "do not contact"; the first one is written.

    ``multiple`` tells that the field may hold several values at once, in one text with semicolons between them;
    ``channel`` by which way nobody may be contacted then. A flag that is not ``ours`` is read and never written.
    """

    field: str
    true_values: tuple[Value, ...]
    multiple: bool = False
    channel: Channel = Channel.ALL
    ours: bool = True
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
    flags. With ``ratchet`` a flag that is cleared by hand goes up again. ``status_fields`` are the status companions of
    the slots that have one, ``channels`` those of the flags.
    """

    name: str
    slots: tuple[Slot, ...]
    opt_outs: tuple[OptOutFlag, ...] = ()
    region_field: str | None = None
    default_region: str | None = None
    channel_field: str | None = None
    tier_field: str | None = None
    email_field: str | None = None
    email_opt_out_field: str | None = None
    filter: Any = None
    spread_limit: int = 25
    spread: Spread = Spread.FLAGS
    ratchet: bool = False
    consent: ConsentFields | None = None
    status_fields: tuple[str, ...] = dataclasses.field(default=(), init=False, repr=False, compare=False)
    channels: frozenset[Channel] = dataclasses.field(default=NO_WAY, init=False, repr=False, compare=False)
    has_sms: bool = dataclasses.field(default=False, init=False, repr=False, compare=False)
    heard: tuple[OptOutFlag, ...] = dataclasses.field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        statuses = (slot.companions.get(Companion.STATUS) for slot in self.slots)
        object.__setattr__(self, "status_fields", tuple(filter(None, statuses)))
        object.__setattr__(self, "channels", frozenset(flag.channel for flag in self.opt_outs))
        object.__setattr__(self, "has_sms", Channel.SMS in self.channels)
        heard = self.opt_outs
        if self.consent:
            heard = (*heard, OptOutFlag(self.consent.field, self.consent.withdrawn_values(), ours=False))
        object.__setattr__(self, "heard", heard)

    def companion_fields(self) -> tuple[str, ...]:
        """Return the companions of all slots."""
        return tuple(name for slot in self.slots for name in slot.companions.values())

    def input_fields(self) -> tuple[str, ...]:
        """Return the fields that are read as input: never written, but for the flag and phone fields to normalise."""
        names = [slot.field for slot in self.slots]
        names += [name for name in (self.region_field, self.channel_field, self.tier_field) if name]
        names += [name for name in (self.email_field, self.email_opt_out_field) if name]
        names += self.flag_fields()
        if self.consent:
            names += self.consent.names()
        return tuple(dict.fromkeys(names))

    def flag_fields(self) -> tuple[str, ...]:
        """Return the opt-out fields, those that are only read included."""
        return tuple(flag.field for flag in self.opt_outs)

    def heard_fields(self) -> tuple[str, ...]:
        """Return the fields that tell of opt-outs: those of the flags, and that of consent."""
        return tuple(flag.field for flag in self.heard)

    def own_flags(self) -> dict[str, OptOutFlag]:
        """Return the flags that ringfence may raise, by their fields."""
        return {flag.field: flag for flag in self.opt_outs if flag.ours}

    def read_fields(self) -> tuple[str, ...]:
        """Return every field a sync reads, each once."""
        return tuple(dict.fromkeys((*self.input_fields(), *self.companion_fields())))

    def owned_fields(self) -> frozenset[str]:
        """Return every field a sync may write (docs/contract.md, section 2)."""
        owned = set(self.companion_fields())
        owned.update(slot.field for slot in self.slots if slot.normalize)
        owned.update(self.own_flags())
        return frozenset(owned)

    def without(self, absent: Container[str]) -> ObjectShape:
        """Return the shape of an account that lacks some of the fields that a set-up creates: companions, flags.

        The slots keep those of their companions that are there.
        """
        slots = tuple(
            replace(slot, companions={one: name for one, name in slot.companions.items() if name not in absent})
            for slot in self.slots
        )
        flags = tuple(flag for flag in self.opt_outs if flag.field not in absent)
        return replace(self, slots=slots, opt_outs=flags)

    def opts_out(self, record: Record) -> bool:
        """Return whether the record tells of an opt-out: its flag is up, or consent to being called was withdrawn."""
        return self.has_withdrawn(record) or self.is_flagged(record)

    def has_withdrawn(self, record: Record) -> bool:
        """Return whether consent was withdrawn: by the mapped field, or on the record of its person beside it."""
        return record.withdrawn is True or (self.consent is not None and self.consent.is_withdrawn(record.values))

    def is_flagged(self, record: Record) -> bool:
        """Return whether any opt-out flag of the record is up; never without a flag in the mapping."""
        values = record.values
        # A loop, because a generator takes three times as long, and every record is asked.
        for flag in self.opt_outs:  # noqa: SIM110 - see above
            if flag.is_up(values.get(flag.field)):
                return True
        return False

    def channels_up(self, record: Record) -> frozenset[Channel]:
        """Return the channels of the record's flags that are up."""
        values, up = record.values, NO_WAY
        for flag in self.opt_outs:
            if flag.is_up(values.get(flag.field)):
                up = up | {flag.channel}
        return up

    def reached_by(self, blocks: Iterable[Channel], flag: OptOutFlag) -> bool:
        """Return whether blocks of these channels reach a flag of the object."""
        return any(reaches(channel, flag.channel, self.channels) for channel in blocks)

    def is_for(self, blocks: Iterable[Channel], flag: OptOutFlag) -> bool:
        """Return whether a flag of the object is about nothing more than blocks of these channels."""
        return any(counts_as(channel, self.channels) in (flag.channel, Channel.ALL) for channel in blocks)

    def lowered_flags(self, record: Record) -> tuple[OptOutFlag, ...]:
        """Return the flags of the record that are down and that ringfence may raise."""
        held = record.values
        return tuple(flag for flag in self.opt_outs if flag.ours and not flag.is_up(held.get(flag.field)))


def _same(value: Value, true: Value) -> bool:
    if isinstance(value, str) and isinstance(true, str):
        return value.strip().casefold() == true.strip().casefold()
    return type(value) is type(true) and value == true
