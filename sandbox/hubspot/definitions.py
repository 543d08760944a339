"""Property definitions of a portal: HubSpot's own, ringfence's companions, and what `setup` creates."""

import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

TYPES = {
    "string": {"text", "textarea", "phonenumber", "html", "file"},
    "phone_number": {"phonenumber", "text"},
    "number": {"number"},
    "bool": {"booleancheckbox"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
    "date": {"date"},
    "datetime": {"date"},
}
"""Property types and the field types that go with each (docs/vendors/hubspot.md, section 2.7)."""

BOOLEAN_OPTIONS = [
    {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": False},
    {"label": "No", "value": "false", "displayOrder": 1, "hidden": False},
]

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

GROUP = "ringfence"
_ENDS = {"reason": "status reason", "e164": "in E.164"}


@dataclass(slots=True)
class Definition:
    """One property of an object type; `values` is the set of allowed values of an enumeration or bool, else empty."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    created: str
    options: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    read_only: bool = False
    hubspot_defined: bool = False
    unique: bool = False
    text_hint: str | None = None
    updated: str = ""

    @property
    def values(self) -> set[str]:
        """The allowed values; empty where any value of the type is allowed."""
        return {option["value"] for option in self.options}

    def to_json(self) -> dict[str, Any]:
        """Return the definition as the properties API answers it."""
        body: dict[str, Any] = {
            "updatedAt": self.updated or self.created,
            "createdAt": self.created,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self.options,
            "displayOrder": -1,
            "calculated": False,
            "externalOptions": False,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "formField": not self.read_only,
            "dataSensitivity": "non_sensitive",
        }
        if self.text_hint is not None:
            body["textDisplayHint"] = self.text_hint

        return body


def standard(type_name: str) -> dict[str, Definition]:
    """Return HubSpot's own properties of "contacts" or "companies" that this stand-in knows, by name."""
    rows = json.loads(resources.files(__package__).joinpath("properties.json").read_text(encoding="utf-8"))
    return {row["name"]: _standard(row) for row in rows[type_name]}


def _standard(row: dict[str, Any]) -> Definition:
    options = [_option(value, order) for order, value in enumerate(row.get("values", []))]
    return Definition(
        name=row["name"],
        label=row["label"],
        type=row["type"],
        field_type=row["fieldType"],
        group=row["group"],
        created="1970-01-01T00:00:00Z",
        options=BOOLEAN_OPTIONS if row["type"] == "bool" else options,
        read_only=row.get("readOnly", False),
        hubspot_defined=True,
        unique=row["name"] == "email",
    )


def companions(created: str) -> dict[str, Definition]:
    """Return what `setup` creates for contacts: six companions each for phone and mobilephone, and the opt-out flag."""
    flag = Definition("rf_do_not_call", "Do not call", "bool", "booleancheckbox", GROUP, created, BOOLEAN_OPTIONS)
    found = {flag.name: flag}
    for slot in ("phone", "mobilephone"):
        for suffix, kind, field_type in (
            ("status", "enumeration", "select"),
            ("reason", "string", "text"),
            ("e164", "string", "text"),
            ("line_type", "string", "text"),
            ("screened_value", "string", "text"),
            ("last_screened", "datetime", "date"),
        ):
            name = f"rf_{slot}_{suffix}"
            label = f"{'Phone' if slot == 'phone' else 'Mobile phone'} {_ENDS.get(suffix, suffix.replace('_', ' '))}"
            options = [_option(value, order) for order, value in enumerate(STATUSES)] if suffix == "status" else []
            found[name] = Definition(name, label, kind, field_type, GROUP, created, options)

    return found


def _option(value: str, order: int) -> dict[str, Any]:
    return {"label": value.replace("_", " ").capitalize(), "value": value, "displayOrder": order, "hidden": False}
