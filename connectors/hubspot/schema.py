"""The properties of an object: their names, how setup creates them, and which properties the portal has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SchemaError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.companion_words import COMPANION_WORDS, describe_companion, status_label
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
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

_SLOT_WORDS = {"mobilephone": "Mobile phone", "hs_whatsapp_phone_number": "WhatsApp phone number"}
_TYPES = {Companion.STATUS: ("enumeration", "select"), Companion.LAST_SCREENED: ("datetime", "date")}


def companion_name(slot: str, companion: Companion) -> str:
    """Return the property of a slot's companion: ``rf_phone_status`` (docs/contract.md, section 2)."""
    return f"{OWN_PREFIX}{slot.lower()}_{companion.value}"


def companion_type(companion: Companion) -> tuple[str, str]:
    """Return (type, field type) of a companion (docs/contract.md, section 2)."""
    return _TYPES.get(companion, ("string", "text"))


def companion_label(slot: str, companion: Companion) -> str:
    """Return the label of a companion: ``Mobile phone status``."""
    name = _SLOT_WORDS.get(slot) or slot.removeprefix("hs_").replace("_", " ").strip().capitalize()
    return f"{name} {COMPANION_WORDS[companion].label}"


def define_companion(slot: Slot, companion: Companion) -> dict[str, Any]:
    """Return the body that creates a companion."""
    kind, field_type = companion_type(companion)
    body: dict[str, Any] = {
        "name": slot.companions[companion],
        "label": companion_label(slot.field, companion),
        "type": kind,
        "fieldType": field_type,
        "groupName": GROUP_NAME,
        "description": f"{COMPANION_WORDS[companion].help} {describe_companion(slot.field)}",
        "formField": False,
    }

    if companion is Companion.STATUS:
        body["options"] = [_option(status.value, status_label(status), n) for n, status in enumerate(Status)]

    return body


_FLAG_WORDS = {
    Channel.ALL: ("Do not call", "Nobody may call or text this person."),
    Channel.VOICE: ("Do not call (voice)", "Nobody may call this person."),
    Channel.SMS: ("Do not text", "Nobody may text this person."),
}
"""The label and the meaning of an opt-out property, by the way of contact that it forbids."""


def define_opt_out(flag: OptOutFlag, *, alone: bool = True) -> dict[str, Any]:
    """Return the body that creates an opt-out property; one that is not ``alone`` of its kind bears its name."""
    label, meaning = _FLAG_WORDS[flag.channel]
    return {
        "name": flag.field,
        "label": label if alone else f"{label}: {flag.field}",
        "type": "bool",
        "fieldType": "booleancheckbox",
        "groupName": GROUP_NAME,
        "description": f"{meaning} ringfence raises it and never lowers it.",
        "formField": False,
        "options": [_option("true", "Yes", 0), _option("false", "No", 1)],
    }


def define_all(shape: ObjectShape) -> list[dict[str, Any]]:
    """Return the bodies of every property that setup would create for an object, in order."""
    bodies = [define_companion(slot, companion) for slot in shape.slots for companion in Companion]
    created = [flag for flag in shape.opt_outs if flag.field in kept_opt_outs(shape)]
    channels = Counter(flag.channel for flag in created)
    return [*bodies, *(define_opt_out(flag, alone=channels[flag.channel] == 1) for flag in created)]


def kept_opt_outs(shape: ObjectShape) -> list[str]:
    """Return the opt-out properties that setup creates; they hold what people asked for, so that they stay."""
    return [name for name in shape.own_flags() if name.startswith(OWN_PREFIX)]


def own_companions(shape: ObjectShape) -> list[str]:
    """Return the companions of an object that bear the names that set-up gives, not those of the mapping."""
    return [
        name for slot in shape.slots for one, name in slot.companions.items() if name == companion_name(slot.field, one)
    ]


def differing_labels(shape: ObjectShape, known: Mapping[str, Definition]) -> list[tuple[str, str, str]]:
    """Return (property, its label, the one that set-up gives) of set-up's companions that bear another label."""
    own = set(own_companions(shape))
    given = {str(body["name"]): str(body["label"]) for body in define_all(shape) if body["name"] in own}
    return [
        (name, str(known[name]["label"]), label)
        for name, label in given.items()
        if name in known and known[name].get("label") not in (None, label)
    ]


def find_absent(shape: ObjectShape, known: Mapping[str, Definition]) -> frozenset[str]:
    """Return the properties that the portal lacks and setup creates: companions, and opt-outs of ringfence's own."""
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
        return RowReader(there, kinds | ({MERGED: "string"} if there.heard and MERGED in known else {}), absent)


def _option(value: str, label: str, order: int) -> dict[str, Any]:
    return {"value": value, "label": label, "displayOrder": order, "hidden": False}
