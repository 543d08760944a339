"""`/query`, `/queryAll`, their further pages, and `/tooling/query`."""

from __future__ import annotations

from .automation import find_automation
from .errors import ApiError
from .selectivity import refuse_slow
from .soql.found import Found, show
from .soql.paths import World
from .soql.run import run_query
from .state import OrgState
from .table import Row
from .wire import Answer, Call

SMALLEST_BATCH, LARGEST_BATCH = 200, 2_000


def query(org: OrgState, call: Call) -> Answer:
    """Answer `/query?q=`."""
    return _rows(org, call, with_deleted=False)


def query_all(org: OrgState, call: Call) -> Answer:
    """Answer `/queryAll?q=`, which sees deleted and merged rows."""
    return _rows(org, call, with_deleted=True)


def _rows(org: OrgState, call: Call, *, with_deleted: bool) -> Answer:
    text = _text(call)
    if answer := find_automation(org, call, text, tooling=False):
        return answer
    found = run_query(text, world_of(org), with_deleted=with_deleted)
    if org.traits.slow_queries_above is not None:
        refuse_slow(text, world_of(org), org.traits.slow_queries_above)
    return _answer(org, call, found)


def world_of(org: OrgState) -> World:
    """Return the objects of the org as the API user sees them."""
    tables = org.tables
    if org.traits.hidden_objects:
        tables = {name: table for name, table in tables.items() if not org.hides(name)}
    return World(tables, org.access, org.clock)


def query_tooling(org: OrgState, call: Call) -> Answer:
    """Answer `/tooling/query?q=`; its answers also carry size and entityTypeName, as the Tooling API's do."""
    text = _text(call)
    if answer := find_automation(org, call, text, tooling=True):
        return answer
    found = run_query(text, World(org.tooling, org.tooling_access, org.clock), with_deleted=False)
    answer = _answer(org, call, found)
    assert isinstance(answer.body, dict)  # noqa: S101  # tells the type checker what _answer builds
    shape = {"size": len(found.rows), "queryLocator": None, "entityTypeName": found.object_name}
    return Answer(200, {**answer.body, **shape})


def query_more(org: OrgState, call: Call, locator: str) -> Answer:
    """Answer `/query/{locator}`; a locator can be used again until its cursor expires."""
    key, cursor, offset = org.cursors.resume(locator, org.clock.now())
    return Answer(200, _page(call, cursor.found, offset, cursor.size, key))


def _text(call: Call) -> str:
    text = call.query.get("q")
    if not text:
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    return text


def _answer(org: OrgState, call: Call, found: Found) -> Answer:
    if found.count is not None:
        return Answer(200, {"totalSize": found.count, "done": True, "records": []})
    if found.figures is not None:
        return Answer(200, {"totalSize": len(found.figures), "done": True, "records": found.figures})
    size = min(org.page_size, _batch_size(call))
    key = org.cursors.open(found, size, org.clock.now()) if len(found.rows) > size else ""
    return Answer(200, _page(call, found, 0, size, key))


def _page(call: Call, found: Found, offset: int, size: int, key: str) -> dict[str, object]:
    end = offset + size
    body: dict[str, object] = {"totalSize": len(found.rows), "done": end >= len(found.rows)}
    if end < len(found.rows):
        body["nextRecordsUrl"] = call.url(f"/query/{key}-{end}")
    body["records"] = show(found, call.url, found.rows[offset:end])
    return body


def show_rows(call: Call, object_name: str, names: tuple[str, ...], rows: list[Row]) -> list[dict[str, object]]:
    """Return rows as answers show them: attributes first, then the fields in the order of the query."""
    root = call.url(f"/sobjects/{object_name}/")
    return [
        {
            "attributes": {"type": object_name, "url": root + str(row["Id"])},
            **dict(zip(names, map(row.get, names), strict=True)),
        }
        for row in rows
    ]


def _batch_size(call: Call) -> int:
    for option in call.headers.get("sforce-query-options", "").split(","):
        name, _, value = option.strip().partition("=")
        if name.lower() == "batchsize" and value.isdigit():
            return max(SMALLEST_BATCH, min(LARGEST_BATCH, int(value)))
    return LARGEST_BATCH
