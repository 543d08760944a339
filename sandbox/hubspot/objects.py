"""The record endpoints for single records, the list, search and merge."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from . import associations, instants, search
from .call import Answer, Call
from .errors import bad_request, conflict, invalid_properties_message, not_found, not_found_page
from .lifecycle import merge_records
from .state import PortalState
from .store import ObjectStore, Row
from .values import check_properties

LIST_PAGE, LIST_PAGE_WITH_HISTORY = 100, 50
DEFAULTS = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
}


def names_to_show(type_name: str, wanted: Iterable[str], store: ObjectStore) -> list[str]:
    """Return the property names of an answer, sorted: the wanted ones and three that always come, or the defaults."""
    names = set(wanted)
    return sorted(names | {"createdate", "hs_object_id", store.modified_property} if names else DEFAULTS[type_name])


def render(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """Return a record as read and batch answers show it: an unset property is absent."""
    held = row.properties
    body = {
        "id": str(row.id),
        "properties": {name: held[name] for name in names if name in held},
        "createdAt": held["createdate"],
        "updatedAt": instants.instant(row.modified),
        "archived": row.archived_at is not None,
    }
    if row.archived_at is not None:
        body["archivedAt"] = instants.instant(row.archived_at)

    return body


def history_of(row: Row, names: Iterable[str], portal: PortalState) -> dict[str, list[dict[str, Any]]]:
    """Return the values that properties have had, newest first, with time and source."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        versions: list[dict[str, Any]] = []
        first = row.properties.get(name, "")
        for when, source, changed, before in row.versions:
            if name in changed:
                if not versions:
                    first = before.get(name, "")
                versions.append(_version(changed[name], when, source, portal))

        if first:
            versions.insert(0, _version(first, row.created, "IMPORT", portal))

        found[name] = versions[::-1]

    return found


def _version(value: str, when: int, source: str, portal: PortalState) -> dict[str, Any]:
    body = {"value": value, "timestamp": instants.instant(when), "sourceType": source}
    if source == "INTEGRATION":
        body["sourceId"] = portal.app_id
    return body


def list_page(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/objects/{type}`, in the order of ids; `after` is the last id plus one (recorded)."""
    store = portal.stores[call.type_name]
    versioned = call.names("propertiesWithHistory")
    most = LIST_PAGE_WITH_HISTORY if versioned else LIST_PAGE
    limit = call.whole("limit", 10)
    if not 1 <= limit <= most:
        raise bad_request(f"The limit {limit} is invalid. It must be between 1 and {most}.")

    archived = call.flag("archived")
    rows = store.page(call.whole("after", 0), limit + 1, archived=archived)
    names = names_to_show(call.type_name, call.names("properties"), store)
    results = [render(row, names) for row in rows[:limit]]

    for row, result in zip(rows, results, strict=False):
        if versioned:
            result["propertiesWithHistory"] = history_of(row, versioned, portal)

    body: dict[str, Any] = {"results": results}
    if len(rows) > limit:
        after = str(rows[limit - 1].id + 1)
        query = {name: values for name, values in call.query.items() if name != "after"} | {"after": [after]}
        body["paging"] = {"next": {"after": after, "link": f"{call.url}?{urlencode(query, doseq=True)}"}}

    return Answer(200, body)


def find_page(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/objects/{type}/search`; an unset property is null, an unknown one absent (recorded)."""
    type_name = call.type_name
    store, definitions = portal.stores[type_name], portal.definitions[type_name]
    query, wanted = search.read_query(call.text(), definitions, store.modified_property)
    store.index.catch_up(portal.now())
    total, documents = search.run(query, store.index, definitions)
    names = [name for name in names_to_show(type_name, wanted, store) if name in definitions]
    results = [
        {
            "id": str(document.id),
            "properties": {name: document.properties.get(name) for name in names},
            "createdAt": document.properties["createdate"],
            "updatedAt": instants.instant(document.modified),
            "archived": False,
        }
        for document in documents
    ]
    body: dict[str, Any] = {"total": total, "results": results}

    if query.limit and query.after + query.limit < total:
        body["paging"] = {"next": {"after": str(query.after + query.limit)}}

    return Answer(200, body)


def read_one(portal: PortalState, call: Call) -> Answer:
    """Answer `GET /crm/v3/objects/{type}/{id}`; an id that was merged away gives the surviving record."""
    store = portal.stores[call.type_name]
    row = find_record(store, call.params["id"], call.first("idProperty"), archived=call.flag("archived"))
    if row is None:
        raise not_found_page()
    body = render(row, names_to_show(call.type_name, call.names("properties"), store))
    if versioned := call.names("propertiesWithHistory"):
        body["propertiesWithHistory"] = history_of(row, versioned, portal)
    if associated := associations.shown(portal, call.type_name, row, call.names("associations")):
        body["associations"] = associated
    return Answer(200, body)


def update_one(portal: PortalState, call: Call) -> Answer:
    """Answer `PATCH /crm/v3/objects/{type}/{id}`; one invalid value refuses the whole request."""
    store = portal.stores[call.type_name]
    row = find_record(store, call.params["id"], call.first("idProperty"))
    if row is None:
        raise not_found_page()
    values = accept_values(portal, call.type_name, properties_of(call.json()))
    if problems := portal.problems(str(row.id), values):
        raise bad_request(invalid_properties_message(problems))
    ensure_free(store, values, owner=row)
    store.update(row, values, portal.now(), "INTEGRATION", noop_bumps=portal.noop_bumps)
    return Answer(200, render_written(row, values, store))


def create_one(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/objects/{type}`: 201 with the new record."""
    sent = call.json()
    values = accept_values(portal, call.type_name, properties_of(sent))
    ensure_free(portal.stores[call.type_name], values, owner=None)
    created = create_record(portal, call.type_name, values)
    associations.connect_new(portal, call.type_name, created["id"], sent.get("associations") or ())
    return Answer(201, created)


def archive_one(portal: PortalState, call: Call) -> Answer:
    """Answer `DELETE /crm/v3/objects/{type}/{id}`: 204, even for a record that does not exist any more."""
    store = portal.stores[call.type_name]
    row = store.find(call.params["id"])
    if row is not None:
        store.archive(row, portal.now())
    return Answer(204)


def merge(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/objects/{type}/merge` with the surviving record."""
    body = call.json()
    try:
        survivor = merge_records(
            portal, str(body["primaryObjectId"]), str(body["objectIdToMerge"]), type_name=call.type_name
        )
    except KeyError as missing:
        raise not_found(f"Object not found: {missing}") from None
    store = portal.stores[call.type_name]
    row = store.rows[int(survivor)]
    return Answer(200, render(row, names_to_show(call.type_name, [], store)))


def purge(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /crm/v3/objects/{type}/gdpr-delete`: 204, also for an e-mail address that nobody has."""
    body, store = call.json(), portal.stores[call.type_name]
    key, id_property = str(body.get("objectId") or ""), body.get("idProperty")
    row = find_record(store, key, id_property) or (None if id_property else store.find(key, archived=True))
    if row is not None:
        store.purge(row, portal.now())
    elif id_property is None:
        raise not_found(f"Object not found: {key}")
    return Answer(204)


def find_record(store: ObjectStore, key: str, id_property: str | None, *, archived: bool = False) -> Row | None:
    """Return the record of an id, or of an e-mail address with idProperty=email, the only unique property."""
    if id_property in {None, "hs_object_id"}:
        return store.find(key, archived=archived)
    if id_property != "email":
        raise bad_request(f"idProperty {id_property} is not a unique property")
    return store.find_email(key)


def properties_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a write; raises RefusalError(400) when there are none."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise bad_request("Invalid input JSON: properties is required and must be an object")
    if any(isinstance(value, (list, dict)) for value in properties.values()):
        raise bad_request("Invalid input JSON: a property value must be a string")
    return properties


def accept_values(portal: PortalState, type_name: str, properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the checked values; raises RefusalError(400) naming every bad one."""
    values, problems = check_properties(properties, portal.definitions[type_name], portal.portal_id)
    if problems:
        raise bad_request(invalid_properties_message(problems))
    return values


def ensure_free(store: ObjectStore, values: Mapping[str, str], *, owner: Row | None) -> None:
    """Raise RefusalError(409) when another record has the e-mail address."""
    holder = store.find_email(values["email"]) if values.get("email") else None
    if holder is not None and holder is not owner:
        raise conflict(f"Contact already exists. Existing ID: {holder.id}")


def create_record(portal: PortalState, type_name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Create a record and return it with everything that HubSpot fills in itself."""
    store, record_id, now = portal.stores[type_name], portal.new_id(), portal.now()
    filled = dict(values)
    if type_name == "contacts":
        filled = {
            "lifecyclestage": "lead",
            **filled,
            "hs_all_contact_vids": str(record_id),
            "hs_email_domain": values.get("email", "").partition("@")[2],
            "hs_is_contact": "true",
            "hs_is_unworked": "true",
            "hs_object_source": "INTEGRATION",
            "hs_pipeline": "contacts-lifecycle-pipeline",
        }

    row = store.add(record_id, filled, now, now)
    return render(row, sorted(row.properties))


def render_written(row: Row, values: Mapping[str, str], store: ObjectStore) -> dict[str, Any]:
    """Return a record as update answers show it: what was sent ("" where cleared) and what always comes (recorded)."""
    body = render(row, names_to_show("", values or ["hs_object_id"], store))
    body["properties"] |= {name: value for name, value in values.items() if value == ""}
    return body
