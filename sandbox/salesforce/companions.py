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
_LABELS = tuple(status.replace("_", " ").capitalize() for status in STATUSES)
_WORDS = {"Phone": "Phone", "MobilePhone": "Mobile Phone"}
_PARTS: tuple[tuple[str, FieldType, int, str], ...] = (
    ("Status", "picklist", 255, "Status"),
    ("Reason", "string", 255, "Status Reason"),
    ("E164", "string", 16, "in E.164"),
    ("Line_Type", "string", 20, "Line Type"),
    ("Screened_Value", "string", 80, "Screened Value"),
    ("Last_Screened", "datetime", 0, "Last Screened"),
)


def companion_names(slot: str) -> tuple[str, str, str, str, str, str]:
    """Return the names of a slot's companions: status, reason, E.164, line type, screened value, last screened."""
    first, second, third, fourth, fifth, sixth = (f"RF_{slot}_{part}__c" for part, _, _, _ in _PARTS)
    return first, second, third, fourth, fifth, sixth


def companion_fields() -> Iterator[FieldSpec]:
    """Yield the companions of all slots, the same ones for every object."""
    for slot in SLOTS:
        for part, kind, length, words in _PARTS:
            yield FieldSpec(
                name=f"RF_{slot}_{part}__c",
                type=kind,
                label=f"{_WORDS[slot]} {words}",
                length=length,
                picklist=STATUSES if kind == "picklist" else (),
                picklist_labels=_LABELS if kind == "picklist" else (),
                custom=True,
            )
