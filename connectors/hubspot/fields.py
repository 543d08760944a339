"""HubSpot's strings to typed values and back, and the rows of one object to records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion, Record, Value

ID = "hs_object_id"

MERGED = "hs_merged_object_ids"
"""The property of a survivor that lists the ids of the records merged into it, with semicolons between them."""

_CONTACTS = frozenset({"contact", "contacts", "0-1"})


def companions_of(shape: ObjectShape, companion: Companion) -> list[str]:
    """Return that companion of each slot, as far as the portal has it."""
    return [slot.companions[companion] for slot in shape.slots if companion in slot.companions]


def modified_field(object_name: str) -> str:
    """Return the property that holds an object's modification time: contacts have one of their own."""
    return "lastmodifieddate" if object_name.lower() in _CONTACTS else "hs_lastmodifieddate"


def read_value(kind: str, raw: str | None) -> Value:
    """Return a property's value by its HubSpot type: bool, aware UTC moment, text, or None for empty and null.

    A value that does not fit its type stays the text it is.
    """
    if raw is None or raw == "":
        return None
    if kind == "bool":
        return {"true": True, "false": False}.get(raw.strip().lower(), raw)
    return read_moment(raw) if kind == "datetime" else raw


def write_value(value: Value) -> str:
    """Return the text that HubSpot takes; the empty text clears a property."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        # Milliseconds only where a former moment is set back that had any.
        precision = "milliseconds" if value.microsecond else "seconds"
        return value.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
    return value


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970, in which HubSpot filters moments."""
    return int(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC moment of milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one object: ``kinds`` is property name -> HubSpot type of every property that is read.

    What is ``absent`` from the portal reads as empty.
    """

    shape: ObjectShape
    kinds: Mapping[str, str]
    absent: frozenset[str] = frozenset()

    @property
    def properties(self) -> tuple[str, ...]:
        """Return what to ask HubSpot for: what is read, and the modification time."""
        return (*self.kinds, modified_field(self.shape.name))

    def read(self, row: Mapping[str, Any], *, in_scope: bool = True) -> Record:
        """Return the record in a row of a search, list or batch answer. Unset properties may be null or absent."""
        held = row.get("properties") or {}
        stamp = held.get(modified_field(self.shape.name)) or row.get("updatedAt")
        modified = read_value("datetime", stamp)
        return Record(
            object=self.shape.name,
            id=str(row["id"]),
            values={name: read_value(kind, held.get(name)) for name, kind in self.kinds.items()}
            | dict.fromkeys(self.absent),
            modified=modified if isinstance(modified, datetime) else None,
            in_scope=in_scope,
        )


def read_moment(raw: str) -> Value:
    """Return the aware UTC moment of a text in milliseconds or in ISO form; the text itself where it is neither."""
    try:
        if raw.lstrip("-").isdecimal():
            return datetime.fromtimestamp(int(raw) / 1000, UTC)
        moment = datetime.fromisoformat(raw)
    except (ValueError, OverflowError, OSError):
        return raw
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
