"""The workflow actions of the emitted project: what a person fills in, what comes back, and the words for both.

HubSpot itself gives `hs_execution_state` a meaning (docs/contract.md, section 5), so that it is no output of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.core.model.companion_words import status_label
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.ports.service_address import ServiceAddress

CONTACTS = "contacts"
"""The object whose workflows have the actions."""

_FIXED, _PROPERTY = "STATIC_VALUE", "OBJECT_PROPERTY"


@dataclass(frozen=True, slots=True)
class _Field:
    """An input or output: its name, its type and form in HubSpot, its label, and what it is for."""

    name: str
    type: str
    form: str
    label: str
    about: str = ""


_PHONE = _Field("phone", "string", "text", "Phone number", "The number to look at, as a property of the contact.")
_COUNTRY = _Field(
    "country",
    "string",
    "text",
    "Country",
    "The country of numbers without a country code: its name or two letters. Empty: as ringfence is set.",
)
_PURPOSE = _Field(
    "purpose",
    "string",
    "text",
    "Purpose",
    "What the number is to be called for, where consent depends on it. Empty: any.",
)
_WRITE_BACK = _Field(
    "write_back",
    "bool",
    "booleancheckbox",
    "Write the result to the contact",
    "Yes: ringfence also keeps the status properties of the contact, as its sync does.",
)
_BY_PROPERTY = frozenset({_PHONE.name, _COUNTRY.name})
"""Inputs that a workflow may take from the contact."""

_OUTPUTS = (
    _Field("rf_status", "enumeration", "select", "Status"),
    _Field("rf_callable", "bool", "booleancheckbox", "May be called"),
    _Field("rf_reason", "string", "text", "Reason"),
    _Field("rf_e164", "string", "text", "Number in E.164"),
    _Field("rf_line_type", "string", "text", "Line type"),
    _Field("rf_last_screened", "string", "text", "Last screened (UTC)"),
    _Field("rf_checked_by", "string", "text", "Checked by"),
)
OUTPUT_NAMES = tuple(field.name for field in _OUTPUTS)
"""The outputs that both actions have (docs/contract.md, section 5)."""

_ENDINGS = {
    Status.DO_NOT_CONTACT: "Do not call: somebody opted out of this number, or it is on a list.",
    Status.WRONG_PERSON: "Do not call: the number belongs to somebody else.",
    Status.INVALID: "Do not call: no such number can exist.",
    Status.DISCONNECTED: "Do not call: the number is no longer in service.",
    Status.SUSPENDED: "Do not call: the number is barred or out of service for now.",
    Status.UNREACHABLE: "Do not call: the number could not be reached.",
    Status.SUSPECT: "Do not call: the number is probably dead.",
    Status.ACTIVE: "May be called: the line is live.",
    Status.VALID: "May be called: the number is allocated; nothing says whether the line is live.",
    Status.UNKNOWN: "May be called: nothing could be established about the number.",
}
"""What a workflow's history says of an execution that ended with a status, and with the callability of that status."""

_HELD_BACK = ("held_back", "Do not call: the number itself may be fine; the reason says what is in the way.")
"""What it says where the status would let call: no consent covers the purpose, or there was no time to screen."""


@dataclass(frozen=True, slots=True)
class _Action:
    """An action: the last part of its path and its id in the project, its words, and its inputs."""

    path: str
    uid: str
    name: str
    about: str
    card: str
    inputs: Sequence[_Field]


ACTIONS = (
    _Action(
        "screen",
        "ringfence_screen",
        "Screen a phone number",
        "Says whether a number may be called: opt-outs first, then whether it exists, then the line. It may look the "
        "number up, within the limits that ringfence is set to.",
        "Screen {{phone}}",
        (_PHONE, _COUNTRY, _PURPOSE, _WRITE_BACK),
    ),
    _Action(
        "check-opt-out",
        "ringfence_check_opt_out",
        "Check whether a phone number opted out",
        "Says at once whether somebody opted out of a number, and what is known about it. It never looks a number up.",
        "Check {{phone}} for an opt-out",
        (_PHONE, _COUNTRY, _PURPOSE, _WRITE_BACK),
    ),
)


def define_actions(shapes: Mapping[str, ObjectShape], service: ServiceAddress) -> dict[str, Any]:
    """Return file name -> definition of each action; none where contacts are not mapped."""
    if CONTACTS not in shapes:
        return {}
    region = shapes[CONTACTS].region_field
    return {
        f"src/app/workflow-actions/{action.path}-hsmeta.json": _define(action, region, service) for action in ACTIONS
    }


def _define(action: _Action, region: str | None, service: ServiceAddress) -> dict[str, Any]:
    config: dict[str, Any] = {
        "actionUrl": service.at(f"/hubspot/workflow-actions/{action.path}"),
        "isPublished": True,
        "supportedClients": [{"client": "WORKFLOWS"}],
        "objectTypes": ["CONTACT"],
        "inputFields": [_input(field) for field in action.inputs],
        "outputFields": [{"typeDefinition": _type(field)} for field in _OUTPUTS],
        "executionRules": _rules(),
        "labels": {"en": _labels(action)},
    }
    if region:
        # Who leaves the country empty is understood by the contact's own; a request brings no other property.
        config["objectRequestOptions"] = {"properties": [region]}
    return {"uid": action.uid, "type": "workflow-action", "config": config}


def _rules() -> list[dict[str, Any]]:
    """Return which ending goes with which outputs; no outputs match two of them."""
    rules: list[dict[str, Any]] = [
        {"labelName": one.value, "conditions": {"rf_status": one.value, "rf_callable": _yes_or_no(one in CALLABLE)}}
        for one in _ENDINGS
    ]
    callable_ = [one.value for one in _ENDINGS if one in CALLABLE]
    held_back = {"rf_status": callable_, "rf_callable": _yes_or_no(False)}
    return [*rules, {"labelName": _HELD_BACK[0], "conditions": held_back}]


def _yes_or_no(value: bool) -> str:
    return str(value).lower()


def _input(field: _Field) -> dict[str, Any]:
    return {
        "typeDefinition": _type(field),
        "supportedValueTypes": [_FIXED, _PROPERTY] if field.name in _BY_PROPERTY else [_FIXED],
        "isRequired": field is _PHONE,
    }


def _type(field: _Field) -> dict[str, Any]:
    body: dict[str, Any] = {"name": field.name, "type": field.type, "fieldType": field.form}
    if field.type == "enumeration":
        body["options"] = [{"value": status.value, "label": status_label(status)} for status in Status]
    elif field.type == "bool":
        body["options"] = [{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}]
    return body


def _labels(action: _Action) -> dict[str, Any]:
    return {
        "actionName": action.name,
        "actionDescription": action.about,
        "actionCardContent": action.card,
        "inputFieldLabels": {field.name: field.label for field in action.inputs},
        "inputFieldDescriptions": {field.name: field.about for field in action.inputs},
        "outputFieldLabels": {field.name: field.label for field in _OUTPUTS},
        "executionRules": {**{status.value: text for status, text in _ENDINGS.items()}, **dict([_HELD_BACK])},
    }
