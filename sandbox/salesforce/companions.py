"""The companion fields of the sandbox org, as `setup` would have created them (docs/contract.md, section 2)."""

from __future__ import annotations

from collections.abc import Iterator

from .schema import FieldSpec, FieldType

STATUSES = (
    "do_not_contact",
    "wrong_person",
    "invalid",
    "disconnected",
    "suspended",
    "unreachable",
    "suspect",
    "active",
    "valid",
    "unknown",
)
SLOTS = ("Phone", "MobilePhone")
_PARTS: tuple[tuple[str, FieldType, int], ...] = (
    ("Status", "picklist", 255),
    ("Reason", "string", 255),
    ("E164", "string", 16),
    ("Line_Type", "string", 20),
    ("Screened_Value", "string", 80),
    ("Last_Screened", "datetime", 0),
)


def companion_names(slot: str) -> tuple[str, str, str, str, str, str]:
    """Return the names of a slot's companions: status, reason, E.164, line type, screened value, last screened."""
    first, second, third, fourth, fifth, sixth = (f"RF_{slot}_{part}__c" for part, _, _ in _PARTS)
    return first, second, third, fourth, fifth, sixth


def companion_fields() -> Iterator[FieldSpec]:
    """Yield the companions of all slots, the same ones for every object."""
    for slot in SLOTS:
        for part, kind, length in _PARTS:
            yield FieldSpec(
                name=f"RF_{slot}_{part}__c",
                type=kind,
                label=f"RF {slot} {part.replace('_', ' ')}",
                length=length,
                picklist=STATUSES if kind == "picklist" else (),
                custom=True,
            )
