"""Changing and archiving property definitions and groups, and the limit of custom properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import instants
from .batches import inputs_of
from .call import Answer, Call
from .definitions import TYPES, Definition
from .errors import bad_request, not_found
from .schema import find_definition, read_options
from .state import PortalState

LABELS = {"contacts": ("Contact", "Contacts"), "companies": ("Company", "Companies")}
TYPE_IDS = {"contacts": "0-1", "companies": "0-2"}


def change_property(portal: PortalState, call: Call) -> Answer:
    """Answer `PATCH /crm/v3/properties/{type}/{name}`: what is sent is changed; the name never is."""
    body, known = call.json(), portal.definitions[call.type_name]
    definition = find_definition(portal, call.type_name, call.params["name"])
    if definition.hubspot_defined:
        raise bad_request(f"The definition of the property {definition.name} is read only")
    if "groupName" in body and body["groupName"] not in portal.groups[call.type_name]:
        raise bad_request(f"The property group {body['groupName']} does not exist")

    kind, field_type = body.get("type", definition.type), body.get("fieldType", definition.field_type)
    if field_type not in TYPES.get(kind, ()):
        raise bad_request(f"The property type {kind} does not go with the field type {field_type}")

    changed = replace(
        definition,
        label=body.get("label", definition.label),
        description=body.get("description", definition.description),
        group=body.get("groupName", definition.group),
        type=kind,
        field_type=field_type,
        options=read_options(body["options"], kind) if "options" in body else definition.options,
        updated=instants.instant(portal.now()),
    )
    known[changed.name] = changed
    return Answer(200, changed.to_json())


def archive_property(portal: PortalState, call: Call) -> Answer:
    """Answer `DELETE /crm/v3/properties/{type}/{name}`: 204; creating one of its name brings it back."""
    find_definition(portal, call.type_name, call.params["name"])
    _archive(portal, call.type_name, call.params["name"])
    return Answer(204)


def archive_properties(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/properties/{type}/batch/archive`: 204, even for names that are not there."""
    for each in inputs_of(call):
        if str(each.get("name")) in portal.definitions[call.type_name]:
            _archive(portal, call.type_name, str(each["name"]))
    return Answer(204)


def change_group(portal: PortalState, call: Call) -> Answer:
    """Answer `PATCH /crm/v3/properties/{type}/groups/{name}`."""
    body, group = call.json(), _group(portal, call)
    group |= {key: body[key] for key in ("label", "displayOrder") if key in body}
    return Answer(200, group)


def archive_group(portal: PortalState, call: Call) -> Answer:
    """Answer `DELETE /crm/v3/properties/{type}/groups/{name}`: 204, or 400 while properties are in it (unverified)."""
    group = _group(portal, call)
    if any(definition.group == group["name"] for definition in portal.definitions[call.type_name].values()):
        raise bad_request(f"The property group {group['name']} still has properties")
    del portal.groups[call.type_name][str(group["name"])]
    return Answer(204)


def tell_limits(portal: PortalState, _call: Call) -> Answer:
    """Answer `GET /crm/v3/limits/custom-properties`: how many there may be and are, by object and over all."""
    limit = portal.traits.custom_properties
    used = {name: sum(map(_is_custom, known.values())) for name, known in portal.definitions.items()}
    by_type = [
        {
            "objectTypeId": TYPE_IDS[name],
            "singularLabel": LABELS[name][0],
            "pluralLabel": LABELS[name][1],
            **_share(limit, count),
        }
        for name, count in used.items()
    ]
    overall = _share(limit * len(used), sum(used.values()))
    return Answer(
        200,
        {"byObjectType": by_type, **{f"overall{key.capitalize()}": value for key, value in overall.items()}},
    )


def _share(limit: int, usage: int) -> dict[str, Any]:
    return {"limit": limit, "usage": usage, "percentage": round(100 * usage / limit, 2) if limit else 100.0}


def _is_custom(definition: Definition) -> bool:
    return not definition.hubspot_defined


def _archive(portal: PortalState, type_name: str, name: str) -> None:
    definition = portal.definitions[type_name][name]
    if definition.hubspot_defined:
        raise bad_request(f"The property {name} is defined by HubSpot and cannot be archived")
    if user := portal.traits.properties_in_use.get(name):
        raise bad_request(f"The property {name} is used in {user} and cannot be archived")
    portal.archived_definitions[type_name][name] = portal.definitions[type_name].pop(name)


def _group(portal: PortalState, call: Call) -> dict[str, object]:
    group = portal.groups[call.type_name].get(call.params["name"])
    if group is None:
        raise not_found(f"Group {call.params['name']} does not exist", "Properties.GROUP_NOT_FOUND")
    return group
