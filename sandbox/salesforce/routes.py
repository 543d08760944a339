"""The routes of the data API: which handler answers which path and method."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import (
    bulk_ingest,
    bulk_query,
    consent,
    describe,
    external_ids,
    layouts,
    limits,
    query,
    record_types,
    replication,
    rows,
    search,
    tooling,
)
from . import sobject_collections as collections
from .composite import composite
from .errors import ApiError, not_found
from .state import OrgState
from .wire import Answer, Call

Handler = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path template below `/services/data/vXX.0`, and what answers each method."""

    template: str
    pattern: re.Pattern[str]
    handlers: dict[str, Handler]


def _route(template: str, **handlers: Handler) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(template, re.compile(pattern + r"\Z"), handlers)


def _composite(org: OrgState, call: Call) -> Answer:
    return composite(org, call, dispatch)


# Fixed words come before the placeholders that would match them too.
ROUTES = (
    _route("", GET=limits.resources),
    _route("/limits", GET=limits.limits),
    _route("/limits/recordCount", GET=limits.record_count),
    _route("/query", GET=query.query),
    _route("/queryAll", GET=query.query_all),
    _route("/query/{locator}", GET=query.query_more),
    _route("/queryAll/{locator}", GET=query.query_more),
    _route("/jobs/query", GET=bulk_query.read_all, POST=bulk_query.create),
    _route("/jobs/query/{job_id}", GET=bulk_query.read, PATCH=bulk_query.change, DELETE=bulk_query.remove),
    _route("/jobs/query/{job_id}/results", GET=bulk_query.results),
    _route("/jobs/ingest", GET=bulk_ingest.read_all, POST=bulk_ingest.create),
    _route("/jobs/ingest/{job_id}", GET=bulk_ingest.read, PATCH=bulk_ingest.change, DELETE=bulk_ingest.remove),
    _route("/jobs/ingest/{job_id}/batches", PUT=bulk_ingest.upload),
    _route("/jobs/ingest/{job_id}/successfulResults", GET=bulk_ingest.written),
    _route("/jobs/ingest/{job_id}/failedResults", GET=bulk_ingest.refused),
    _route("/jobs/ingest/{job_id}/unprocessedrecords", GET=bulk_ingest.unprocessed),
    # The spelling of client libraries, which the service takes as well.
    _route("/jobs/ingest/{job_id}/unprocessedRecords", GET=bulk_ingest.unprocessed),
    _route("/composite", POST=_composite),
    _route(
        "/composite/sobjects",
        POST=collections.create_many,
        PATCH=collections.update_many,
        DELETE=collections.delete_many,
    ),
    _route("/composite/sobjects/{object_name}", GET=collections.retrieve_many, POST=collections.retrieve_many),
    _route("/tooling/query", GET=query.query_tooling),
    _route("/tooling/sobjects/CustomField", POST=tooling.create_field),
    _route("/tooling/sobjects/CustomField/{field_id}", DELETE=tooling.delete_field),
    _route("/sobjects", GET=describe.describe_global),
    _route("/sobjects/{object_name}", GET=describe.basic_info, POST=rows.post_row),
    _route("/sobjects/{object_name}/describe", GET=describe.describe),
    _route("/sobjects/{object_name}/describe/layouts", GET=layouts.layouts),
    _route("/sobjects/{object_name}/describe/layouts/{record_type}", GET=layouts.layout),
    _route("/ui-api/object-info/{object_name}/picklist-values/{record_type}", GET=record_types.all_picklist_values),
    _route(
        "/ui-api/object-info/{object_name}/picklist-values/{record_type}/{field_name}", GET=record_types.picklist_values
    ),
    _route("/sobjects/{object_name}/updated", GET=replication.updated_rows),
    _route("/sobjects/{object_name}/deleted", GET=replication.deleted_rows),
    _route(
        "/sobjects/{object_name}/{field}/{value}",
        GET=external_ids.get_by_key,
        PATCH=external_ids.upsert_by_key,
        DELETE=external_ids.delete_by_key,
    ),
    _route("/search", GET=search.search),
    _route("/consent/action/{action}", GET=consent.consent_to),
    _route("/sobjects/{object_name}/{row_id}", GET=rows.get_row, PATCH=rows.patch_row, DELETE=rows.remove_row),
)


def find_route(call: Call) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a data call and the values of its placeholders, or None."""
    below = call.path.removeprefix(f"/services/data/{call.version}")
    for route in ROUTES:
        match = route.pattern.match(below)
        if match:
            return route, match.groupdict()
    return None


def dispatch(org: OrgState, call: Call) -> Answer:
    """Answer a data call by its route; raises ApiError. The gate has authorised and counted it before."""
    found = find_route(call)
    if found is None:
        raise not_found()

    route, names = found
    handler = route.handlers.get(call.method)
    if handler is None:
        allowed = ",".join(route.handlers)
        text = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
        raise ApiError(405, "METHOD_NOT_ALLOWED", text)

    if "object_name" in names:
        object_name = org.object_named(names["object_name"])
        if object_name is None:
            raise not_found()
        names["object_name"] = object_name

    arguments: dict[str, Any] = names
    return handler(org, call, **arguments)
