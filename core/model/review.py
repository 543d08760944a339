"""Counts over many changes, with a few examples of each kind: what a plan would do, or what a run did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .change_view import ChangeView, Kind, SlotChange, view_change
from .field_roles import FieldRoles
from .reasons import Reason, format_reason, parse_reason
from .values import Change

EXAMPLES = 3
"""Changes of each kind that are kept as examples."""

NO_REASON = "no reason given"
OWN_FLAG = "the opt-out flag of the record itself is up"
SHARED = "another record that holds the number opted out"
SHARED_ELSEWHERE = "another record that holds another number of this one opted out"


class Example(NamedTuple):
    """One change of a slot, to stand for many of its kind."""

    change: Change
    slot: SlotChange


@dataclass(slots=True)
class Group:
    """Changes of slots that are alike: how many, and the first few."""

    slots: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, change: Change, slot: SlotChange) -> None:
        """Count a change of a slot."""
        self.slots += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Example(change, slot))


@dataclass(slots=True)
class ObjectCounts:
    """The changes of one object; a change is one write to one record, the other counts are of flags, fields, slots."""

    changes: int = 0
    flags_raised: int = 0
    phones_rewritten: int = 0
    slots_invalid: int = 0
    slots_silenced: int = 0
    slots_other: int = 0


@dataclass(slots=True)
class Review:
    """What many changes amount to. Its size depends on how many kinds there are, not on how many changes.

    ``invalid`` and ``silenced`` are by reason, ``moves`` the changes of all other slots by (object, old status, new
    status); where the status stays, both are None.
    """

    roles: FieldRoles
    objects: dict[str, ObjectCounts] = field(default_factory=lambda: defaultdict(ObjectCounts))
    kinds: Counter[Kind] = field(default_factory=Counter)
    invalid: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    silenced: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    moves: dict[tuple[str, str | None, str | None], Group] = field(default_factory=lambda: defaultdict(Group))

    @property
    def changes(self) -> int:
        """Return how many changes there are."""
        return self.total("changes")

    def total(self, name: str) -> int:
        """Return one count summed over all objects."""
        return sum(getattr(counts, name) for counts in self.objects.values())

    def take(self, changes: Iterable[Change]) -> Review:
        """Count all of the changes, and return this review."""
        for change in changes:
            self.add(view_change(change, self.roles))
        return self

    def add(self, view: ChangeView) -> None:
        """Count one change."""
        counts = self.objects[view.change.object]
        counts.changes += 1
        counts.flags_raised += view.flag is not None
        counts.phones_rewritten += len(view.rewrites)
        self.kinds.update(view.kinds)
        for slot in view.slots:
            self._add_slot(view.change, slot, counts)

    def _add_slot(self, change: Change, slot: SlotChange, counts: ObjectCounts) -> None:
        kind = slot.kind
        if kind is Kind.INVALID:
            counts.slots_invalid += 1
            self.invalid[say_reason(slot.reason)].add(change, slot)
        elif kind is Kind.SILENCED:
            counts.slots_silenced += 1
            self.silenced[say_opt_out(slot.reason)].add(change, slot)
        else:
            counts.slots_other += 1
            self.moves[change.object, *(slot.status or (None, None))].add(change, slot)


def say_reason(text: str) -> str:
    """Return a reason without what is particular to one number: its repairs, and the other numbers of its field."""
    reason = parse_reason(text)
    if reason is None:
        return NO_REASON
    return format_reason(reason._replace(repairs=(), others=0))


def say_block(reason: Reason) -> str:
    """Return what keeps a number silent that no flag of this CRM covers, without how it is lifted."""
    return format_reason(reason._replace(repairs=(), others=0)).partition(": ")[2].partition(":")[0]


def say_whose(text: str) -> str:
    """Return who asked for the silence that a reason explains, with the number where it is another one, masked."""
    reason = parse_reason(text)
    if reason is None or not reason.shared:
        return say_opt_out(text)
    if reason.block is not None:
        return say_block(reason)
    return f"another record with {reason.opted_out_via or 'this number'} opted out"


def say_opt_out(text: str) -> str:
    """Return whose opt-out a reason names."""
    reason = parse_reason(text)
    if reason is None:
        return NO_REASON
    if not reason.shared:
        return OWN_FLAG
    if reason.block is not None:
        return say_block(reason._replace(opted_out_via=""))
    return SHARED_ELSEWHERE if reason.opted_out_via else SHARED
