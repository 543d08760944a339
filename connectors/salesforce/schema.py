"""The fields of an object: the names of companions, how setup creates them, and which fields the org has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import MappingError
from ringfence.core.model.companion_words import COMPANION_WORDS, describe_companion, status_label
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status

if TYPE_CHECKING:
    from .client import SalesforceClient


CUSTOM = "__c"
MAX_NAME = 40
"""Characters of a custom field's name, the suffix left out; its label may have as many."""

SETUP = "Run `ringfence setup salesforce`."

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CompanionSpec:
    """How a companion is created (contract.md, section 2): the end of its name, its type, its length in characters."""

    suffix: str
    type: str
    length: int = 0


COMPANIONS = {
    Companion.STATUS: CompanionSpec("Status", "Picklist", 14),
    Companion.REASON: CompanionSpec("Reason", "Text", 255),
    Companion.E164: CompanionSpec("E164", "Text", 16),
    Companion.LINE_TYPE: CompanionSpec("Line_Type", "Text", 20),
    Companion.SCREENED_VALUE: CompanionSpec("Screened_Value", "Text", 80),
    Companion.LAST_SCREENED: CompanionSpec("Last_Screened", "DateTime"),
}


def companion_name(slot: str, companion: Companion) -> str:
    """Return a companion: ``RF_Phone_Status__c`` of ``Phone``, ``RF_Home_Phone_Status__c`` of ``Home_Phone__c``.

    Raises MappingError where the name is too long for Salesforce. It is not shortened: two slots could then share a
    name, and people could not tell which field belongs to which slot.
    """
    base = slot.removesuffix(CUSTOM).replace("__", "_").strip("_")
    suffix = COMPANIONS[companion].suffix
    name = f"RF_{base}_{suffix}"

    if len(name) > MAX_NAME:
        raise MappingError(
            f"The companion of {slot} would be called {name}{CUSTOM}, {len(name) - MAX_NAME} characters too long.",
            f"Name it in the mapping, under {slot}: companions: {{{companion.value}: RF_..._{suffix}{CUSTOM}}}.",
        )

    return name + CUSTOM


def companion_label(slot: str, companion: Companion) -> str:
    """Return the label of a companion: ``Mobile Phone Last Screened``. A long name of the phone field is cut."""
    words = [word if word == "in" else word[:1].upper() + word[1:] for word in COMPANION_WORDS[companion].label.split()]
    end = " ".join(words)
    return f"{slot_words(slot)[: MAX_NAME - len(end) - 1].rstrip()} {end}"


def slot_words(slot: str) -> str:
    """Return the name of a phone field in words: ``Mobile Phone`` of ``MobilePhone``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_+", " ", slot.removesuffix(CUSTOM)).strip()


def define_companion(slot: Slot, companion: Companion) -> dict[str, Any]:
    """Return the metadata that creates a companion, as the Tooling API takes it."""
    spec = COMPANIONS[companion]
    body: dict[str, Any] = {
        "type": spec.type,
        "label": companion_label(slot.field, companion),
        "description": describe_companion(slot.field),
        "inlineHelpText": COMPANION_WORDS[companion].help,
        "required": False,
    }

    if spec.type == "Text":
        body["length"] = spec.length

    if companion is Companion.STATUS:
        values = [{"valueName": status.value, "label": status_label(status), "default": False} for status in Status]
        body["valueSet"] = {"restricted": False, "valueSetDefinition": {"sorted": False, "value": values}}

    return body


def shown_type(metadata: Mapping[str, Any]) -> str:
    """Return the type of a field as Salesforce's set-up shows it: ``Text(255)``."""
    return f"{metadata['type']}({metadata['length']})" if "length" in metadata else str(metadata["type"])


def define_all(shape: ObjectShape) -> dict[str, dict[str, Any]]:
    """Return field name -> metadata of every companion of an object."""
    return {name: define_companion(slot, one) for slot in shape.slots for one, name in slot.companions.items()}


def find_absent(shape: ObjectShape, known: Mapping[str, Described]) -> frozenset[str]:
    """Return the companions and the opt-out fields that the org lacks or hides; none where nothing is known of it."""
    own = {*shape.companion_fields(), *shape.flag_fields()}
    return frozenset(own - known.keys()) if known else frozenset()


def own_companions(shape: ObjectShape) -> list[str]:
    """Return the companions of an object that bear the names that set-up gives, not those of the mapping."""
    return [
        name for slot in shape.slots for one, name in slot.companions.items() if name == _given_name(slot.field, one)
    ]


def _given_name(slot: str, companion: Companion) -> str | None:
    try:
        return companion_name(slot, companion)
    except MappingError:
        return None


def differing_labels(shape: ObjectShape, known: Mapping[str, Described]) -> list[tuple[str, str, str]]:
    """Return (field, its label, the one that set-up gives) of set-up's companions that bear another label."""
    metadata = define_all(shape)
    return [
        (name, str(known[name]["label"]), metadata[name]["label"])
        for name in own_companions(shape)
        if name in known and known[name].get("label") not in (None, metadata[name]["label"])
    ]


class Schema:
    """The describes of the mapped objects, each read once."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._known: dict[str, Described] = {}

    def describe(self, object_name: str) -> Described:
        """Return an object's describe. Raises AnswerError for an object that the org does not show."""
        if object_name not in self._known:
            self._known[object_name] = self._client.describe(object_name)
        return self._known[object_name]

    def fields(self, object_name: str) -> dict[str, Described]:
        """Return field name -> describe of the field, as this user sees them."""
        return {str(field["name"]): field for field in self.describe(object_name)["fields"]}

    def known(self, object_name: str) -> Mapping[str, Described]:
        """Return what :meth:`fields` does, but nothing where the object has not been described: no call is made."""
        return self.fields(object_name) if object_name in self._known else {}

    def forget(self) -> None:
        """Forget the describes, so that they are read again: fields were created."""
        self._known.clear()
