"""The properties of an object: their names, how setup creates them, and which properties the portal has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SchemaError
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status

from .errors import AnswerError
from .fields import MERGED, RowReader

if TYPE_CHECKING:
    from .client import HubSpotClient

GROUP_NAME = "ringfence"
GROUP = {"name": GROUP_NAME, "label": "Phone hygiene", "displayOrder": -1}
"""The property group that setup creates its properties in."""

OWN_PREFIX = "rf_"
"""Setup creates an opt-out property only under this prefix: any other belongs to the portal."""

SETUP = "Run `ringfence setup hubspot`."

Definition = Mapping[str, Any]

_LABELS = {
    Companion.STATUS: "screening status",
    Companion.REASON: "screening reason",
    Companion.E164: "in E.164",
    Companion.LINE_TYPE: "line type",
    Companion.SCREENED_VALUE: "screened value",
    Companion.LAST_SCREENED: "last screened",
}
_TYPES = {Companion.STATUS: ("enumeration", "select"), Companion.LAST_SCREENED: ("datetime", "date")}


def companion_name(slot: str, companion: Companion) -> str:
    """Return the property of a slot's companion: ``rf_phone_status`` (docs/contract.md, section 2)."""
    return f"{OWN_PREFIX}{slot.lower()}_{companion.value}"


def companion_type(companion: Companion) -> tuple[str, str]:
    """Return (type, field type) of a companion (docs/contract.md, section 2)."""
    return _TYPES.get(companion, ("string", "text"))


def define_companion(slot: Slot, companion: Companion) -> dict[str, Any]:
    """Return the body that creates a companion."""
    kind, field_type = companion_type(companion)
    body: dict[str, Any] = {
        "name": slot.companions[companion],
        "label": f"{slot.field} {_LABELS[companion]}",
        "type": kind,
        "fieldType": field_type,
        "groupName": GROUP_NAME,
        "description": "Kept by ringfence; edits are overwritten.",
        "formField": False,
    }

    if companion is Companion.STATUS:
        body["options"] = [
            _option(status.value, status.value.replace("_", " ").capitalize(), n) for n, status in enumerate(Status)
        ]

    return body


def define_opt_out(name: str) -> dict[str, Any]:
    """Return the body that creates the opt-out property."""
    return {
        "name": name,
        "label": "Do not call",
        "type": "bool",
        "fieldType": "booleancheckbox",
        "groupName": GROUP_NAME,
        "description": "Nobody may call or text this person. ringfence raises it and never lowers it.",
        "formField": False,
        "options": [_option("true", "Yes", 0), _option("false", "No", 1)],
    }


def define_all(shape: ObjectShape) -> list[dict[str, Any]]:
    """Return the bodies of every property that setup would create for an object, in order."""
    bodies = [define_companion(slot, companion) for slot in shape.slots for companion in Companion]
    if shape.opt_out and shape.opt_out.field.startswith(OWN_PREFIX):
        bodies.append(define_opt_out(shape.opt_out.field))
    return bodies


def find_absent(shape: ObjectShape, known: Mapping[str, Definition]) -> frozenset[str]:
    """Return the properties that the portal lacks and setup creates: companions, and an opt-out of ringfence's own."""
    return frozenset(body["name"] for body in define_all(shape)) - known.keys()


def missing_field(shape: ObjectShape, name: str, known: Mapping[str, Definition]) -> tuple[str, str]:
    """Return (message, remedy) for a mapped property that the portal lacks."""
    if any(name == body["name"] for body in define_all(shape)):
        return f"{shape.name} has no property {name}.", SETUP
    hint = did_you_mean(name, known)
    return f"{shape.name} has no property {name}{hint}.", "Correct the mapping, or create the property."


class Schema:
    """The portal's properties, read once for each object."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, Definition]] = {}

    def definitions(self, object_name: str) -> dict[str, Definition]:
        """Return property name -> definition. Raises SchemaError for an object that the portal lacks."""
        if object_name not in self._known:
            try:
                found = self._client.properties(object_name)
            except AnswerError as error:
                if error.status not in (400, 404):
                    raise
                raise SchemaError(
                    f"HubSpot has no object {object_name}{did_you_mean(object_name, ('contacts', 'companies'))}.",
                    "Correct the mapping.",
                ) from error
            self._known[object_name] = {str(one["name"]): one for one in found}

        return self._known[object_name]

    def forget(self, object_name: str) -> None:
        """Forget the definitions, so that they are read again: properties were created."""
        self._known.pop(object_name, None)

    def reader(self, shape: ObjectShape) -> RowReader:
        """Return the reader of an object's rows: of the mapped properties, and of what was merged into a record.

        What setup creates and the portal lacks reads as empty, and the reader's shape is without it. Raises SchemaError
        for any other mapped property that the portal lacks.
        """
        known = self.definitions(shape.name)
        absent = find_absent(shape, known)
        for name in shape.read_fields():
            if name not in known and name not in absent:
                raise SchemaError(*missing_field(shape, name, known))

        kinds = {name: str(known[name]["type"]) for name in shape.read_fields() if name in known}
        there = shape.without(absent)
        return RowReader(there, kinds | ({MERGED: "string"} if there.opt_out and MERGED in known else {}), absent)


def _option(value: str, label: str, order: int) -> dict[str, Any]:
    return {"value": value, "label": label, "displayOrder": order, "hidden": False}
