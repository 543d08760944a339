"""`/sobjects/{object}/{field}/{value}`: rows by a key of other systems (REST guide, "sObject Rows by External ID")."""

from __future__ import annotations

from urllib.parse import unquote

from .errors import ApiError, RowError, not_found
from .query import show_rows
from .rows import author, named_fields, payload
from .schema import FieldSpec
from .state import OrgState
from .table import Row
from .wire import Answer, Call
from .writes import create_row, delete_row, update_row


def get_by_key(org: OrgState, call: Call, object_name: str, field: str, value: str) -> Answer:
    """Answer GET of the row that has the value; 300 with the addresses where several have it."""
    rows = _find(org, object_name, _key(org, object_name, field), value)
    if not rows:
        raise not_found()
    if len(rows) > 1:
        return Answer(300, _addresses(call, object_name, rows))
    names = named_fields(org.access(object_name), call.query.get("fields"))
    return Answer(200, show_rows(call, object_name, names, rows)[0])


def upsert_by_key(org: OrgState, call: Call, object_name: str, field: str, value: str) -> Answer:
    """Answer PATCH: the row that has the value is changed, or a new one with it is made."""
    key = _key(org, object_name, field)
    changes = payload(call.document)
    if key.name in changes:
        raise ApiError(400, "INVALID_FIELD", f"The {key.name} field should not be specified in the sobject data.")

    rows = _find(org, object_name, key, value)
    if len(rows) > 1:
        return Answer(300, _addresses(call, object_name, rows))

    try:
        if rows:
            row_id = update_row(org, object_name, str(rows[0]["Id"]), changes, author(org, call))
        else:
            given = {**changes, **({} if key.type == "id" else {key.name: unquote(value)})}
            row_id = create_row(org, object_name, given, author(org, call))
    except RowError as error:
        raise error.alone() from None

    return Answer(200 if rows else 201, {"id": row_id, "success": True, "errors": [], "created": not rows})


def delete_by_key(org: OrgState, call: Call, object_name: str, field: str, value: str) -> Answer:
    """Answer DELETE of the row that has the value."""
    rows = _find(org, object_name, _key(org, object_name, field), value)
    if not rows:
        raise not_found()
    if len(rows) > 1:
        return Answer(300, _addresses(call, object_name, rows))
    delete_row(org, object_name, str(rows[0]["Id"]), author(org, call))
    return Answer(204)


def _key(org: OrgState, object_name: str, field: str) -> FieldSpec:
    found = org.access(object_name).visible.get(field.lower())
    if found is None or not (found.external or found.type == "id"):
        text = f"Provided external ID field does not exist or is not accessible: {field}"
        raise ApiError(404, "NOT_FOUND", text)
    return found


def _find(org: OrgState, object_name: str, key: FieldSpec, value: str) -> list[Row]:
    wanted = unquote(value).lower()
    rows = [row for row in org.table(object_name).scan() if row["IsDeleted"] is not True]
    return [row for row in rows if str(row[key.name] or "").lower() == wanted]


def _addresses(call: Call, object_name: str, rows: list[Row]) -> list[str]:
    return [call.url(f"/sobjects/{object_name}/{row['Id']}") for row in rows]
