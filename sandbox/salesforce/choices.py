"""Which values of its picklists a record may hold, by its record type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .schema import FieldSpec


@dataclass(frozen=True, slots=True)
class RecordTypes:
    """The record types of the org: ids by object, and the values that each one has of the fields it limits."""

    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def values(self, record_type: str, field: FieldSpec) -> tuple[str, ...]:
        """Return the values of a field that records of a type may hold."""
        return self.limits.get(record_type, {}).get(field.name, field.picklist)
