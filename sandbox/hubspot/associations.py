"""Associations between contacts and companies: the v4 endpoints for single pairs, and what a record shows of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import instants
from .call import Answer, Call, type_name_of
from .errors import bad_request, not_found
from .state import PortalState
from .store import Row

DEFAULTS = {("contacts", "companies"): 279, ("companies", "contacts"): 280}
"""The type of an association without a label, by where it leads from and to."""

PRIMARY = {("contacts", "companies"): 1, ("companies", "contacts"): 2}
TYPE_IDS = {"contacts": "0-1", "companies": "0-2"}
SINGULAR = {"contacts": "contact", "companies": "company"}
CATEGORY = "HUBSPOT_DEFINED"


def associate(portal: PortalState, call: Call) -> Answer:
    """Answer `PUT /crm/v4/objects/{type}/{id}/associations/{to}/{to_id}` with the types in its body: 201."""
    body = call.json_list()
    wanted = [int(each["associationTypeId"]) for each in body if isinstance(each, dict) and _has_type(each)]
    start, end, source, target = _pair(portal, call)
    if not wanted or not set(wanted) <= _known(start, end):
        raise bad_request(f"No association type {wanted} from {TYPE_IDS[start]} to {TYPE_IDS[end]}")

    _connect(portal, start, source, end, target, wanted)
    pair = {"fromObjectTypeId": TYPE_IDS[start], "fromObjectId": source.id}
    return Answer(201, {**pair, "toObjectTypeId": TYPE_IDS[end], "toObjectId": target.id, "labels": []})


def associate_by_default(portal: PortalState, call: Call) -> Answer:
    """Answer `PUT /crm/v4/objects/{type}/{id}/associations/default/{to}/{to_id}`: 200, both ways."""
    start, end, source, target = _pair(portal, call)
    kind = DEFAULTS.get((start, end))
    if kind is None:
        raise bad_request(f"There is no default association from {TYPE_IDS[start]} to {TYPE_IDS[end]}")

    _connect(portal, start, source, end, target, [kind])
    result = {
        "from": {"id": str(source.id)},
        "to": {"id": str(target.id)},
        "associationSpec": {"associationCategory": CATEGORY, "associationTypeId": kind},
    }
    now = instants.instant(portal.now())
    return Answer(200, {"status": "COMPLETE", "results": [result], "startedAt": now, "completedAt": now})


def list_associated(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v4/objects/{type}/{id}/associations/{to}`."""
    start, end = call.type_name, type_name_of(call.params["to"])
    source = _find(portal, start, call.params["id"])
    results = [
        {
            "toObjectId": to_id,
            "associationTypes": [{"category": CATEGORY, "typeId": kind, "label": None} for kind in kinds],
        }
        for to_id, kinds in _from(portal, start, source.id, end).items()
    ]
    return Answer(200, {"results": results})


def dissociate(portal: PortalState, call: Call) -> Answer:
    """Answer `DELETE /crm/v4/objects/{type}/{id}/associations/{to}/{to_id}`: 204, both ways."""
    start, end, source, target = _pair(portal, call)
    _from(portal, start, source.id, end).pop(target.id, None)
    _from(portal, end, target.id, start).pop(source.id, None)
    return Answer(204)


def connect_new(portal: PortalState, type_name: str, record_id: str, wanted: Iterable[Any]) -> None:
    """Make the associations that the body of a create asks for. Raises RefusalError for one that cannot be."""
    for each in wanted:
        kinds = [int(kind["associationTypeId"]) for kind in each.get("types") or () if _has_type(kind)]
        ends = {end for start, end in DEFAULTS if start == type_name and not _known(start, end).isdisjoint(kinds)}
        if len(ends) != 1:
            raise bad_request(f"No association type {kinds} from {TYPE_IDS[type_name]}")
        end = ends.pop()
        target = _find(portal, end, str((each.get("to") or {}).get("id")))
        _connect(portal, type_name, _find(portal, type_name, record_id), end, target, kinds)


def shown(portal: PortalState, type_name: str, row: Row, wanted: Iterable[str]) -> dict[str, Any]:
    """Return the `associations` of a record with the wanted types, as a single read shows them; empty without any."""
    found = {end: _from(portal, type_name, row.id, end) for end in map(type_name_of, wanted)}
    return {
        end: {
            "results": [{"id": str(to_id), "type": f"{SINGULAR[type_name]}_to_{SINGULAR[end]}"} for to_id in associated]
        }
        for end, associated in found.items()
        if associated
    }


def _known(start: str, end: str) -> set[int]:
    return {types[start, end] for types in (DEFAULTS, PRIMARY) if (start, end) in types}


def _has_type(each: dict[str, Any]) -> bool:
    return str(each.get("associationTypeId")).isdecimal()


def _pair(portal: PortalState, call: Call) -> tuple[str, str, Row, Row]:
    start, end = call.type_name, type_name_of(call.params["to"])
    return start, end, _find(portal, start, call.params["id"]), _find(portal, end, call.params["to_id"])


def _find(portal: PortalState, type_name: str, record_id: str) -> Row:
    row = portal.stores[type_name].find(record_id)
    if row is None:
        raise not_found(f"The record {record_id} of type {TYPE_IDS[type_name]} does not exist")
    return row


def _connect(portal: PortalState, start: str, source: Row, end: str, target: Row, kinds: Iterable[int]) -> None:
    there, back = _from(portal, start, source.id, end), _from(portal, end, target.id, start)
    there[target.id] = sorted({*there.get(target.id, ()), *kinds})
    back[source.id] = sorted({*back.get(source.id, ()), DEFAULTS[end, start]})


def _from(portal: PortalState, start: str, record_id: int, end: str) -> dict[int, list[int]]:
    return portal.associations.setdefault((start, record_id, end), {})
