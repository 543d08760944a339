"""The HTTP side of the portal: the table of endpoints and the ASGI application over it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..broken_wire import BrokenResponse
from . import account, associations, batches, callbacks, definition_changes, journal_calls, objects, schema
from .call import Call
from .gate import Endpoint, pass_through
from .state import PortalState

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OBJECTS = "/crm/v3/objects/{type}"
_PROPERTIES = "/crm/v3/properties/{type}"

_JOURNAL = "/webhooks-journal/journal-local/2026-03"
_ASSOCIATIONS = "/crm/v4/objects/{type}/{id}/associations"
V3 = "v3"
VERSIONS = frozenset({"2025-09", "2026-03", "2026-09"})
"""The dated versions whose paths are answered as those of v3 are."""

_BY_VERSION = (
    Endpoint("POST", f"{_OBJECTS}/search", objects.find_page, "objects", "read"),
    Endpoint("POST", f"{_OBJECTS}/merge", objects.merge, "objects", "write"),
    Endpoint("POST", f"{_OBJECTS}/gdpr-delete", objects.purge, "objects", "write"),
    Endpoint("POST", f"{_OBJECTS}/batch/read", batches.read, "objects", "read"),
    Endpoint("POST", f"{_OBJECTS}/batch/update", batches.update, "objects", "write"),
    Endpoint("POST", f"{_OBJECTS}/batch/create", batches.create, "objects", "write"),
    Endpoint("POST", f"{_OBJECTS}/batch/upsert", batches.upsert, "objects", "write"),
    Endpoint("POST", f"{_OBJECTS}/batch/archive", batches.archive, "objects", "write"),
    Endpoint("GET", _OBJECTS, objects.list_page, "objects", "read"),
    Endpoint("POST", _OBJECTS, objects.create_one, "objects", "write"),
    Endpoint("GET", f"{_OBJECTS}/{{id}}", objects.read_one, "objects", "read"),
    Endpoint("PATCH", f"{_OBJECTS}/{{id}}", objects.update_one, "objects", "write"),
    Endpoint("DELETE", f"{_OBJECTS}/{{id}}", objects.archive_one, "objects", "write"),
    Endpoint("GET", _PROPERTIES, schema.list_properties, "schemas", "read"),
    Endpoint("POST", _PROPERTIES, schema.create_property, "schemas", "write"),
    Endpoint("POST", f"{_PROPERTIES}/batch/create", schema.create_properties, "schemas", "write"),
    Endpoint("POST", f"{_PROPERTIES}/batch/read", schema.read_properties, "schemas", "read"),
    Endpoint("POST", f"{_PROPERTIES}/batch/archive", definition_changes.archive_properties, "schemas", "write"),
    Endpoint("GET", f"{_PROPERTIES}/groups", schema.list_groups, "schemas", "read"),
    Endpoint("POST", f"{_PROPERTIES}/groups", schema.create_group, "schemas", "write"),
    Endpoint("GET", f"{_PROPERTIES}/groups/{{name}}", schema.read_group, "schemas", "read"),
    Endpoint("PATCH", f"{_PROPERTIES}/groups/{{name}}", definition_changes.change_group, "schemas", "write"),
    Endpoint("DELETE", f"{_PROPERTIES}/groups/{{name}}", definition_changes.archive_group, "schemas", "write"),
    Endpoint("GET", f"{_PROPERTIES}/{{name}}", schema.read_property, "schemas", "read"),
    Endpoint("PATCH", f"{_PROPERTIES}/{{name}}", definition_changes.change_property, "schemas", "write"),
    Endpoint("DELETE", f"{_PROPERTIES}/{{name}}", definition_changes.archive_property, "schemas", "write"),
    Endpoint("GET", "/crm/v3/limits/custom-properties", definition_changes.tell_limits, "account", "read"),
)

ENDPOINTS = (
    *_BY_VERSION,
    *(
        replace(endpoint, path=re.sub(r"^/crm/v3/(\w+)", r"/crm/\1/{version}", endpoint.path))
        for endpoint in _BY_VERSION
    ),
    Endpoint("GET", f"{_ASSOCIATIONS}/{{to}}", associations.list_associated, "objects", "read"),
    Endpoint("PUT", f"{_ASSOCIATIONS}/default/{{to}}/{{to_id}}", associations.associate_by_default, "objects", "write"),
    Endpoint("PUT", f"{_ASSOCIATIONS}/{{to}}/{{to_id}}", associations.associate, "objects", "write"),
    Endpoint("DELETE", f"{_ASSOCIATIONS}/{{to}}/{{to_id}}", associations.dissociate, "objects", "write"),
    Endpoint("POST", "/automation/v4/actions/callbacks/complete", callbacks.complete_batch, "automation", "write"),
    Endpoint(
        "POST", "/automation/v4/actions/callbacks/{callbackId}/complete", callbacks.complete_one, "automation", "write"
    ),
    Endpoint("POST", "/oauth/v1/token", journal_calls.sign_in, "sign_in", "read"),
    Endpoint("GET", f"{_JOURNAL}/latest", journal_calls.latest, "app", "read"),
    Endpoint("GET", f"{_JOURNAL}/offset/{{offset}}/next", journal_calls.after, "app", "read"),
    Endpoint("GET", "/journal-files/{place}", journal_calls.read_file, "sign_in", "read"),
    Endpoint("POST", "/oauth/v2/private-apps/get/access-token-info", account.token_info, "account", "read"),
    Endpoint("GET", "/account-info/v3/details", account.details, "account", "read"),
    Endpoint("GET", "/account-info/v3/api-usage/daily/private-apps", account.daily_usage, "account", "read"),
    Endpoint("ANY", "/{path:path}", account.nothing_here, "account", "read"),
)
"""Every path and method ends in one of these, the last one included: nothing bypasses the gate."""

NOWHERE = ENDPOINTS[-1]


def hubspot_app(portal: PortalState) -> Starlette:
    """Return the ASGI application that answers for `portal`."""
    return Starlette(routes=[_route(portal, endpoint) for endpoint in ENDPOINTS])


def _route(portal: PortalState, endpoint: Endpoint) -> Route:
    methods = METHODS if endpoint.method == "ANY" else [endpoint.method]
    return Route(endpoint.path, _handler(portal, endpoint), methods=methods)


def _handler(portal: PortalState, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        parameters = request.query_params
        served = NOWHERE if request.path_params.get("version", V3) not in VERSIONS | {V3} else endpoint
        call = Call(
            params=dict(request.path_params),
            query={name: parameters.getlist(name) for name in parameters},
            body=await request.body(),
            url=str(request.url.replace(query="")),
        )
        reply = pass_through(portal, served, call, request.headers.get("authorization", ""))
        response = Response(reply.body, reply.status, reply.headers)
        return response if reply.wire is None else BrokenResponse(response, reply.wire)

    return handle
