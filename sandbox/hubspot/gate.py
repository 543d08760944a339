"""The gate of the portal: every request is counted, authenticated, rate limited and checked for scopes here."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

from ..broken_wire import Wire
from ..fault_rules import RequestFacts
from ..faults import Purpose
from .call import Answer, Call
from .errors import (
    RefusalError,
    missing_object_scopes,
    missing_scopes,
    too_many_requests,
    too_many_searches,
    unauthenticated,
    unreadable_definitions,
)
from .state import PortalState

Handler = Callable[[PortalState, Call], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: how it is named in `portal.requests`, what answers it, and what it needs."""

    method: str
    path: str
    handler: Handler
    area: Literal["objects", "schemas", "automation", "account", "app", "sign_in"]
    access: Literal["read", "write"]

    @property
    def is_search(self) -> bool:
        """Searches have a limit of their own and no rate headers."""
        return self.path.endswith("/search")


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes of an answer, and how they are delivered (None: in the ordinary way)."""

    status: int
    headers: dict[str, str]
    body: bytes
    wire: Wire | None = None


def pass_through(portal: PortalState, endpoint: Endpoint, call: Call, authorization: str) -> Reply:
    """Answer one request; takes the portal's lock, so that a test may edit the portal from its own thread."""
    correlation_id = str(uuid4())
    wire: Wire | None = None
    with portal.lock:
        if portal.formatting is not None:
            portal.formatting.settle(portal.now())
        portal.requests[f"{endpoint.method} {endpoint.path}"] += 1
        if portal.faults is None:
            answer = _pass(portal, endpoint, call, authorization)
        else:
            facts = RequestFacts(endpoint.method, urlsplit(call.url).path.rstrip("/"), _purpose(endpoint), call.body)
            answer, wire = portal.faults.answer(facts, lambda: _pass(portal, endpoint, call, authorization))

        date = format_datetime(portal.clock.now(), usegmt=True)
        headers = {"Date": date, "X-HubSpot-Correlation-Id": correlation_id, **answer.headers}
        if answer.counted:
            headers |= _rate_headers(portal, endpoint)

    return _reply(answer, headers, correlation_id, wire)


def _pass(portal: PortalState, endpoint: Endpoint, call: Call, authorization: str) -> Answer:
    try:
        if endpoint.area != "sign_in":
            _authenticate(portal.app_token if endpoint.area == "app" else portal.access_token, authorization)
        _limit(portal, endpoint)
        _authorise(portal, endpoint, call)
        return endpoint.handler(portal, call)
    except RefusalError as refusal:
        return Answer(refusal.status, refusal.body, refused=True, counted=refusal.counted)


def _purpose(endpoint: Endpoint) -> Purpose:
    if endpoint.area == "objects":
        return endpoint.access
    return "schema" if endpoint.area == "schemas" else "other"


def _authenticate(wanted: str, authorization: str) -> None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or token.strip() != wanted:
        raise unauthenticated()


def _limit(portal: PortalState, endpoint: Endpoint) -> None:
    now = portal.clock.now()
    if not portal.daily.take(now):
        raise too_many_requests("DAILY")
    if endpoint.is_search:
        if not portal.searches.take(now):
            raise too_many_searches()
    elif not portal.calls.take(now):
        raise too_many_requests("TEN_SECONDLY_ROLLING")


def _authorise(portal: PortalState, endpoint: Endpoint, call: Call) -> None:
    if endpoint.area in ("account", "app", "sign_in"):
        return
    if endpoint.area == "automation":
        if endpoint.area not in portal.scopes:
            raise missing_scopes([endpoint.area])
        return

    name = call.type_name
    needed = f"crm.{endpoint.area}.{name}.{endpoint.access}"
    if needed in portal.scopes:
        return
    if endpoint.area == "schemas" and endpoint.access == "read":
        # Whoever may read the records may read their definitions (the recorded refusal asks for "contacts-read").
        if f"crm.objects.{name}.read" not in portal.scopes:
            raise unreadable_definitions(name, portal.portal_id)
        return

    raise missing_object_scopes() if endpoint.area == "objects" else missing_scopes([needed])


def _with_correlation_id(body: dict[str, object], correlation_id: str) -> dict[str, object]:
    """Return the body with the correlationId in third place, where the recordings have it."""
    status, message, *rest = body.items()
    return dict([status, message, ("correlationId", correlation_id), *rest])


def _rate_headers(portal: PortalState, endpoint: Endpoint) -> dict[str, str]:
    headers = {
        "X-HubSpot-RateLimit-Daily": str(portal.daily.limit),
        "X-HubSpot-RateLimit-Daily-Remaining": str(portal.daily.remaining),
    }
    if endpoint.is_search:
        return headers

    return headers | {
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(portal.calls.seconds * 1000)),
        "X-HubSpot-RateLimit-Max": str(portal.calls.limit),
        "X-HubSpot-RateLimit-Remaining": str(portal.calls.remaining(portal.clock.now())),
    }


def _reply(answer: Answer, headers: dict[str, str], correlation_id: str, wire: Wire | None) -> Reply:
    body = answer.body
    if body is None:
        return Reply(answer.status, headers, b"", wire)
    if isinstance(body, str):
        return Reply(answer.status, headers | {"Content-Type": "text/html;charset=iso-8859-1"}, body.encode(), wire)
    text = json.dumps(
        _with_correlation_id(body, correlation_id) if answer.refused else body,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return Reply(answer.status, headers | {"Content-Type": "application/json;charset=utf-8"}, text.encode(), wire)
