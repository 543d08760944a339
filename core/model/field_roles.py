"""What each field of a mapping is for, kept beside changes so that they can be explained without the mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .shapes import ObjectShape
from .values import Companion

PHONE = "phone"
FLAG = "flag"
KINDS = frozenset((PHONE, FLAG, *Companion))
"""What a field may be for: it is the phone field of a slot, one of its companions, or an opt-out flag."""

HOLD_NUMBERS = frozenset((PHONE, Companion.E164, Companion.SCREENED_VALUE))


class FieldRole(NamedTuple):
    """What a field is for, one of ``KINDS``, and the phone field of its slot; a flag belongs to none."""

    kind: str
    slot: str = ""


@dataclass(frozen=True, slots=True)
class FieldRoles:
    """The role of each mapped field: object name -> field name -> role."""

    by_object: Mapping[str, Mapping[str, FieldRole]] = field(default_factory=dict)

    @classmethod
    def of(cls, shapes: Mapping[str, ObjectShape]) -> FieldRoles:
        """Return the roles under a mapping."""
        return cls({name: dict(_roles(shape)) for name, shape in shapes.items()})

    @classmethod
    def from_json(cls, content: Any) -> FieldRoles:
        """Return the roles that :meth:`to_json` gave. Raises ValueError where it is anything else."""
        try:
            by_object = {
                str(name): {str(each): FieldRole(*map(str, role)) for each, role in fields.items()}
                for name, fields in content.items()
            }
        except (AttributeError, TypeError) as error:
            raise ValueError("no roles of fields") from error
        return cls(by_object)

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """Return the roles as JSON values."""
        return {
            name: {each: [str(part) for part in role] for each, role in fields.items()}
            for name, fields in self.by_object.items()
        }

    def of_object(self, name: str) -> Mapping[str, FieldRole]:
        """Return field name -> role; empty for an object that is not mapped."""
        return self.by_object.get(name, {})

    def slots(self) -> list[str]:
        """Return the phone fields of all objects, each name once."""
        roles = (role for fields in self.by_object.values() for role in fields.values())
        return list(dict.fromkeys(role.slot for role in roles if role.kind == PHONE))


def _roles(shape: ObjectShape) -> Iterator[tuple[str, FieldRole]]:
    for slot in shape.slots:
        yield slot.field, FieldRole(PHONE, slot.field)
        for companion, name in slot.companions.items():
            yield name, FieldRole(companion, slot.field)
    for field_name in shape.own_flags():
        yield field_name, FieldRole(FLAG)
