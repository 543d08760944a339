"""The properties endpoints: definitions and their groups."""

import re
from typing import Any

from . import instants
from .batches import batch_answer, handle_each, inputs_of
from .call import Answer, Call
from .definitions import BOOLEAN_OPTIONS, TYPES, Definition
from .errors import bad_request, conflict, not_found
from .state import PortalState

REQUIRED = ("name", "label", "type", "fieldType", "groupName")
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def list_properties(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/properties/{type}` with all definitions, or with all archived ones."""
    known = (portal.archived_definitions if call.flag("archived") else portal.definitions)[call.type_name]
    return Answer(200, {"results": [known[name].to_json() for name in sorted(known)]})


def read_property(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/properties/{type}/{name}`; raises RefusalError(404)."""
    return Answer(200, find_definition(portal, call.type_name, call.params["name"]).to_json())


def create_property(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/properties/{type}`: 201, or 409 when the name is taken."""
    return Answer(201, _create(portal, call.type_name, call.json()))


def create_properties(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/properties/{type}/batch/create`; a refused definition does not affect the others."""
    results, errors = handle_each(inputs_of(call), lambda each: _create(portal, call.type_name, each))
    return batch_answer(201, results, errors, portal)


def read_properties(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/properties/{type}/batch/read`; an unknown name does not affect the others."""
    type_name = call.type_name
    results, errors = handle_each(
        inputs_of(call), lambda each: find_definition(portal, type_name, str(each.get("name"))).to_json()
    )
    return batch_answer(200, results, errors, portal)


def list_groups(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/properties/{type}/groups`."""
    return Answer(200, {"results": list(portal.groups[call.type_name].values())})


def read_group(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/properties/{type}/groups/{name}`; raises RefusalError(404)."""
    group = portal.groups[call.type_name].get(call.params["name"])
    if group is None:
        raise not_found(f"Group {call.params['name']} does not exist", "Properties.GROUP_NOT_FOUND")
    return Answer(200, group)


def create_group(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/properties/{type}/groups`: 201, or 409 when the name is taken."""
    body, groups = call.json(), portal.groups[call.type_name]
    name, label = body.get("name"), body.get("label")
    if not isinstance(name, str) or not NAME.fullmatch(name) or not isinstance(label, str) or not label:
        raise bad_request("Invalid input JSON: a group needs a name (lower case, digits, _) and a label")
    if name in groups:
        message = f"A property group named '{name}' already exists."
        raise conflict(message, "OBJECT_ALREADY_EXISTS", "Properties.GROUP_WITH_NAME_EXISTS")
    groups[name] = {"name": name, "label": label, "displayOrder": body.get("displayOrder", -1), "archived": False}
    return Answer(201, groups[name])


def find_definition(portal: PortalState, type_name: str, name: str) -> Definition:
    """Return the definition of a property; raises RefusalError(404)."""
    definition = portal.definitions[type_name].get(name)
    if definition is None:
        raise not_found(f'Property "{name}" does not exist', "Properties.PROPERTY_NOT_FOUND")
    return definition


def _create(portal: PortalState, type_name: str, body: dict[str, Any]) -> dict[str, Any]:
    lacking = [name for name in REQUIRED if not isinstance(body.get(name), str) or not body[name]]
    if lacking:
        raise bad_request(f"Invalid input JSON: some required fields were not set: [{', '.join(lacking)}]")

    name, kind, field_type = body["name"], body["type"], body["fieldType"]
    if not NAME.fullmatch(name):
        raise bad_request(f"The property name {name} is invalid: lower case letters, digits and _ only")
    if field_type not in TYPES.get(kind, ()):
        raise bad_request(f"The property type {kind} does not go with the field type {field_type}")
    if body["groupName"] not in portal.groups[type_name]:
        raise bad_request(f"The property group {body['groupName']} does not exist")
    if name in portal.definitions[type_name]:
        message = f"A property named '{name}' already exists."
        raise conflict(message, "OBJECT_ALREADY_EXISTS", "Properties.PROPERTY_WITH_NAME_EXISTS")
    _refuse_too_many(portal, type_name)

    definition = Definition(
        name=name,
        label=body["label"],
        type=kind,
        field_type=field_type,
        group=body["groupName"],
        created=instants.instant(portal.now()),
        options=read_options(body.get("options") or [], kind),
        description=body.get("description") or "",
        unique=bool(body.get("hasUniqueValue")),
        text_hint=body.get("textDisplayHint"),
    )
    portal.archived_definitions[type_name].pop(name, None)
    portal.definitions[type_name][name] = definition
    return definition.to_json()


def _refuse_too_many(portal: PortalState, type_name: str) -> None:
    """Raise RefusalError(400) where the portal has as many custom properties as it may (its words are unverified)."""
    limit = portal.traits.custom_properties
    if sum(not each.hubspot_defined for each in portal.definitions[type_name].values()) >= limit:
        raise bad_request(f"This portal has reached its limit of {limit} custom properties for {type_name}")


def read_options(raw: list[Any], kind: str) -> list[dict[str, Any]]:
    """Return the options of a property of some type as HubSpot keeps them; raises RefusalError(400)."""
    if any(not isinstance(each, dict) or not each.get("label") or not each.get("value") for each in raw):
        raise bad_request("Invalid input JSON: an option needs a label and a value")

    options = [
        {
            "label": str(each["label"]),
            "value": str(each["value"]),
            "displayOrder": each.get("displayOrder", order),
            "hidden": bool(each.get("hidden", False)),
        }
        for order, each in enumerate(raw)
    ]
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        raise bad_request("Property options must have unique values")
    if kind == "bool":
        if options and set(values) != {"true", "false"}:
            raise bad_request("A boolean property has exactly the options true and false")
        return options or BOOLEAN_OPTIONS
    if kind == "enumeration":
        return options
    if options:
        raise bad_request(f"A property of the type {kind} has no options")

    return []
