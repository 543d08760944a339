"""`/composite/sobjects`: up to 200 rows in one request, each with its own result in the order of the request.

Limits and shapes: docs/vendors/salesforce.md, section 2.4; a refused row has no id, as recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter

from .errors import ApiError, RowError, not_found, unparsable
from .ids import full_id
from .query import show_rows
from .rows import author, named_fields, payload
from .state import OrgState
from .wire import Answer, Call
from .writes import check_triggers, create_row, delete_row, update_row

MAX_ROWS = 200
MAX_TYPE_RUNS = 10
MAX_RETRIEVED = 2_000
Record = Mapping[str, object]
Result = dict[str, object]


def create_many(org: OrgState, call: Call) -> Answer:
    """Answer POST of up to 200 new rows."""
    records, all_or_none = _records(org, call)
    writer = author(org, call)
    return _write(org, call, records, all_or_none, lambda name, record: create_row(org, name, record, writer))


def update_many(org: OrgState, call: Call) -> Answer:
    """Answer PATCH of rows; every record has its id."""
    records, all_or_none = _records(org, call)
    writer = author(org, call)

    def update(name: str, record: Record) -> str:
        changes = dict(record)
        row_id = next((changes.pop(key) for key in record if key.lower() == "id"), None)
        if not row_id:
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
        return update_row(org, name, str(row_id), changes, writer)

    return _write(org, call, records, all_or_none, update)


def delete_many(org: OrgState, call: Call) -> Answer:
    """Answer DELETE of `ids=` (comma-separated)."""
    ids = [part for part in call.query.get("ids", "").split(",") if part]
    if len(ids) > MAX_ROWS:
        raise _too_many()

    writer = author(org, call)
    prefixes = {table.spec.prefix: name for name, table in org.tables.items()}

    def delete(name: str, record: Record) -> str:
        if not name:
            raise RowError("MALFORMED_ID", f"malformed id {record['id']}")
        delete_row(org, name, str(record["id"]), writer)
        return str(record["id"])

    records: list[tuple[str, Record]] = [(prefixes.get(row_id[:3], ""), {"id": row_id}) for row_id in ids]
    return _write(org, call, records, call.query.get("allOrNone", "").lower() == "true", delete)


def retrieve_many(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer GET or POST `/composite/sobjects/{object}`: rows in the order of the ids, null where there is none."""
    if call.method == "GET":
        ids, fields = (call.query.get(key, "").split(",") for key in ("ids", "fields"))
    else:
        body = payload(call.document)
        ids, fields = _texts(body, "ids"), _texts(body, "fields")

    if len(ids) > MAX_RETRIEVED:
        raise ApiError(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot retrieve more than {MAX_RETRIEVED} records"
        )
    if not fields or not ids:
        raise ApiError(400, "MISSING_ARGUMENT", "ids and fields must be specified")

    names = named_fields(org.access(object_name), ",".join(fields))
    return Answer(200, [_retrieved(org, call, object_name, names, row_id) for row_id in ids])


def _retrieved(
    org: OrgState, call: Call, object_name: str, names: tuple[str, ...], row_id: str
) -> dict[str, object] | None:
    table = org.table(object_name)
    row = table.rows.get(row_id) or table.rows.get(full_id(row_id) or "")
    if row is None or row["IsDeleted"] is True:
        return None
    return show_rows(call, object_name, names, [row])[0]


def _texts(body: Mapping[str, object], key: str) -> list[str]:
    values = body.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise unparsable(f"Cannot deserialize instance of list from {key} at [line:1, column:1]")
    return values


def _records(org: OrgState, call: Call) -> tuple[list[tuple[str, Record]], bool]:
    """Return (object, record) pairs and the allOrNone flag; raises ApiError for a large or malformed body."""
    body = payload(call.document)
    given = body.get("records")
    if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
        raise unparsable("Cannot deserialize instance of list from records at [line:1, column:1]")
    if len(given) > MAX_ROWS:
        raise _too_many()

    records = [(_type_of(org, record), record) for record in given]
    if len(list(groupby(name for name, _ in records))) > MAX_TYPE_RUNS:
        text = "Please rearrange the data to reduce chunking."
        raise ApiError(
            400, "LIMIT_EXCEEDED", f"Cannot have more than {MAX_TYPE_RUNS} chunks in a single operation. {text}"
        )

    return records, body.get("allOrNone") is True


def _type_of(org: OrgState, record: Record) -> str:
    attributes = record.get("attributes")
    given = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(given, str):
        raise ApiError(400, "INVALID_INPUT", "attributes.type is required in each record")
    name = org.object_named(given)
    if name is None:
        raise not_found()
    return name


def _too_many() -> ApiError:
    text = f"record limit reached. cannot submit more than {MAX_ROWS} records into this call"
    return ApiError(400, "EXCEEDED_ID_LIMIT", text)


def _write(
    org: OrgState,
    call: Call,
    records: list[tuple[str, Record]],
    all_or_none: bool,
    write: Callable[[str, Record], str],
) -> Answer:
    mark = call.journal.mark()
    results: list[Result] = []
    refused = False

    try:
        for name, run in groupby(records, key=itemgetter(0)):
            rows = list(run)
            for _, record in rows:
                try:
                    check_triggers(org, name, len(rows))
                    results.append({"id": write(name, record), "success": True, "errors": []})
                except RowError as error:
                    refused = True
                    results.append(error.result())
    except ApiError:
        # The service parses the whole body before it writes: a value of the wrong type fails every row.
        call.journal.roll_back(mark)
        raise

    if all_or_none and refused:
        call.journal.roll_back(mark)
        results = [_rolled_back(result) for result in results]

    return Answer(200, results)


def _rolled_back(result: Result) -> Result:
    if not result["success"]:
        return result
    text = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", text).result()
