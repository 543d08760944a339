"""The values that travel through a sync: records, changes and what became of them.

They are tuples, because a run makes each of them for every record, and a frozen dataclass takes four times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

Value = str | bool | datetime | None
"""What a CRM field holds: text, a flag, an aware UTC moment in whole seconds or finer, or nothing."""


class Companion(StrEnum):
    """The six fields that ringfence owns beside each phone slot (contract, section 2)."""

    STATUS = "status"
    REASON = "reason"
    E164 = "e164"
    LINE_TYPE = "line_type"
    SCREENED_VALUE = "screened_value"
    LAST_SCREENED = "last_screened"

    # An enum hashes its members in Python; these are dictionary keys dozens of times for each record.
    __hash__ = str.__hash__


class Record(NamedTuple):
    """One CRM record as read: ``values`` by CRM field name, already typed by the connector.

    ``modified`` is the record's modification time as the CRM tells it. ``in_scope`` is False for a record outside the
    mapping's filter: it is never screened, but an opt-out still reaches it.
    """

    object: str
    id: str
    values: Mapping[str, Value]
    modified: datetime | None = None
    in_scope: bool = True


class FieldChange(NamedTuple):
    """One field's old and new value."""

    field: str
    old: Value
    new: Value


_NO_GUARD: Mapping[str, Value] = {}


class Change(NamedTuple):
    """What one record should become: ``names`` are its fields, never none, ``old`` and ``new`` the values of each.

    Columns, because a run makes, seals, opens and sends a dozen fields of every record; :attr:`fields` pairs them up.
    ``guard`` holds fields with the values they must still have when the write lands (a phone field that is being
    normalised); empty where the write needs no precondition. ``modified`` is the stamp of the record as it was read.
    """

    object: str
    id: str
    names: tuple[str, ...]
    old: tuple[Value, ...]
    new: tuple[Value, ...]
    guard: Mapping[str, Value] = _NO_GUARD
    modified: datetime | None = None

    @classmethod
    def of(
        cls,
        object_name: str,
        record_id: str,
        fields: Iterable[FieldChange],
        guard: Mapping[str, Value] = _NO_GUARD,
        modified: datetime | None = None,
    ) -> Self:
        """Return the change of these fields."""
        names, old, new = list(zip(*fields, strict=True)) or ((), (), ())
        return cls(object_name, record_id, names, old, new, guard, modified)

    @property
    def fields(self) -> list[FieldChange]:
        """Return what becomes of each field."""
        return list(map(FieldChange, self.names, self.old, self.new))

    def new_values(self) -> dict[str, Value]:
        """Return field name -> new value."""
        return dict(zip(self.names, self.new, strict=True))


class Outcome(StrEnum):
    """What became of a row that was sent for writing."""

    WRITTEN = "written"
    CONFLICT = "conflict"  # somebody changed, merged or deleted the record since it was read
    REFUSED = "refused"  # the CRM said no; its words are kept
    LOST = "lost"  # sent, no answer came, and reading the record showed that it did not land


class RowResult(NamedTuple):
    """The outcome of one change: the CRM's own code and words where it did not simply write."""

    outcome: Outcome
    code: str = ""
    message: str = ""
