"""`/sobjects/{object}` and `/sobjects/{object}/{id}`: single rows, with conditional requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from .access import Access
from .errors import ApiError, RowError, not_found, unparsable
from .query import show_rows
from .state import OrgState
from .table import Row
from .wire import Answer, Call, stamp_moment
from .writes import Author, check_triggers, create_row, delete_row, find_row, update_row


def get_row(org: OrgState, call: Call, object_name: str, row_id: str) -> Answer:
    """Answer GET of a row with all visible fields or those in `fields=`; a deleted row gives 404."""
    try:
        row = find_row(org.table(object_name), row_id)
    except RowError:
        raise not_found() from None

    modified = stamp_moment(str(row["LastModifiedDate"]))
    verdict = _precondition(call, modified)
    if verdict == "not modified":
        return Answer(304)
    if verdict == "failed":
        raise _precondition_failed()

    names = named_fields(org.access(object_name), call.query.get("fields"))
    shown = show_rows(call, object_name, names, [row])[0]
    return Answer(200, shown, {"Last-Modified": format_datetime(modified, usegmt=True)})


def named_fields(access: Access, listed: str | None) -> tuple[str, ...]:
    """Return canonical names of a comma-separated list, or of all visible fields; raises ApiError INVALID_FIELD."""
    if not listed:
        return tuple(field.name for field in access.visible.values())
    names = []
    for name in listed.split(","):
        field = access.visible.get(name.strip().lower())
        if field is None:
            text = f"No such column '{name.strip()}' on sobject of type {access.spec.name}"
            raise ApiError(400, "INVALID_FIELD", text)
        names.append(field.name)
    return tuple(dict.fromkeys(names))


def post_row(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer POST of a new row."""
    try:
        row_id = create_row(org, object_name, payload(call.document), author(org, call))
    except RowError as error:
        raise error.alone() from None
    location = {"Location": call.url(f"/sobjects/{object_name}/{row_id}")}
    return Answer(201, {"id": row_id, "success": True, "errors": []}, location)


def patch_row(org: OrgState, call: Call, object_name: str, row_id: str) -> Answer:
    """Answer PATCH of a row; `If-Unmodified-Since` and `If-Modified-Since` compare LastModifiedDate by the second."""
    changes = payload(call.document)
    if any(name.lower() == "id" for name in changes):
        raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    try:
        _guard(org, call, object_name, row_id)
        check_triggers(org, object_name, 1)
        update_row(org, object_name, row_id, changes, author(org, call))
    except RowError as error:
        raise error.alone() from None
    return Answer(204)


def remove_row(org: OrgState, call: Call, object_name: str, row_id: str) -> Answer:
    """Answer DELETE of a row."""
    try:
        delete_row(org, object_name, row_id, author(org, call))
    except RowError as error:
        raise error.alone() from None
    return Answer(204)


def author(org: OrgState, call: Call) -> Author:
    """Return the author of this call's writes: the API user."""
    return Author(org.user_id, call.auto_assigns(), call.journal, call.saves_duplicates())


def payload(document: object) -> Mapping[str, object]:
    """Return a body that must be a JSON object; raises ApiError for anything else."""
    if not isinstance(document, dict):
        raise unparsable("The HTTP entity body is required, but this request has no entity body.")
    return document


def _guard(org: OrgState, call: Call, object_name: str, row_id: str) -> None:
    row: Row = find_row(org.table(object_name), row_id)
    if _precondition(call, stamp_moment(str(row["LastModifiedDate"]))) != "met":
        raise _precondition_failed()


def _precondition(call: Call, modified: datetime) -> str:
    unmodified_since = _header_moment(call, "If-Unmodified-Since")
    modified_since = _header_moment(call, "If-Modified-Since")
    if unmodified_since and modified > unmodified_since:
        return "failed"
    if modified_since and modified <= modified_since:
        return "not modified"
    return "met"


def _header_moment(call: Call, name: str) -> datetime | None:
    text = call.headers.get(name.lower())
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        raise ApiError(400, "INVALID_HTTP_HEADER", f"Invalid value for the {name} header: {text}") from None


def _precondition_failed() -> ApiError:
    text = "One or more conditions given in the request header fields evaluated to false when tested on the server"
    return ApiError(412, "PRECONDITION_FAILED", text)
