"""The values that travel through a sync: records, changes, and the outcome of each change.

They are tuples, because a run makes each of them for every record, and a frozen dataclass takes four times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

Value = str | bool | datetime | None
"""What a CRM field holds: a text, a flag, an aware UTC moment in whole seconds or finer, or nothing."""


ERASED = "[erased]"
"""What stands in the journal in the place of each value of a change about a number that was erased."""


class Companion(StrEnum):
    """The six fields that ringfence owns beside each phone slot (docs/contract.md, section 2)."""

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

    ``modified`` is when the record was last modified, by the CRM's clock. ``in_scope`` is False for a record outside
    the mapping's filter: it is never screened, but an opt-out still reaches it. ``withdrawn`` is what a record of its
    person beside it says of being called: True where consent was withdrawn, False where that is seen not to be so, None
    where there is no such record or nobody may see it.
    """

    object: str
    id: str
    values: Mapping[str, Value]
    modified: datetime | None = None
    in_scope: bool = True
    withdrawn: bool | None = None


class FieldChange(NamedTuple):
    """One field's old and new value."""

    field: str
    old: Value
    new: Value


_NO_GUARD: Mapping[str, Value] = {}


class Change(NamedTuple):
    """The fields of one record to write: ``names``, at least one, with the ``old`` and the ``new`` value of each.

    The three are columns, because a run makes, encrypts, decrypts and sends a dozen fields of every record;
    :attr:`fields` pairs them up. ``guard`` is the precondition of the write: fields with the values they must still
    hold (a phone field to normalise); it may be empty. ``modified`` is the record's modification time as it was read.
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
        """Return the change of each field."""
        return list(map(FieldChange, self.names, self.old, self.new))

    @property
    def is_erased(self) -> bool:
        """Return whether the values were erased: what the change did is known no more, but that it was made."""
        return self.new.count(ERASED) == len(self.new)

    def without_values(self) -> Self:
        """Return the change as the journal keeps it once a number in it was erased: record and fields, no values."""
        gone = (ERASED,) * len(self.names)
        return self._replace(old=gone, new=gone, guard=_NO_GUARD, modified=None)

    def new_values(self) -> dict[str, Value]:
        """Return field name -> new value."""
        return dict(zip(self.names, self.new, strict=True))


class Outcome(StrEnum):
    """The outcome of a row that was sent for writing."""

    WRITTEN = "written"
    CONFLICT = "conflict"  # somebody changed, merged or deleted the record since it was read
    REFUSED = "refused"  # the CRM refused the row; its code and message are kept
    LOST = "lost"  # no response came, and the record as read again shows that the write did not land


class RowResult(NamedTuple):
    """The outcome of one change, with the CRM's own code and message where it did not simply write."""

    outcome: Outcome
    code: str = ""
    message: str = ""
