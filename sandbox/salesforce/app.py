"""The HTTP side of the org: one gate that every request passes (counting, authorisation, quota), then the routes."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..broken_wire import BrokenResponse
from ..fault_rules import RequestFacts
from . import auth
from .bulk_work import Background
from .errors import ApiError, not_found, unparsable
from .limits import usage_header, versions
from .multipart import is_multipart
from .purposes import purpose_of
from .routes import dispatch, find_route
from .state import OrgState
from .wire import Answer, Call

MAX_URI_BYTES = 16_384
_VERSION = re.compile(r"/services/data/(v\d+\.0)(?=/|\Z)")
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def salesforce_app(org: OrgState) -> Starlette:
    """Return the ASGI application that answers for an org.

    Serve it without the server's own Date header: the org's clock gives it.
    """

    background = Background(org)

    async def answer(request: Request) -> Response:
        call = _read(request, await request.body())
        with org.lock:
            reply = pass_gate(org, call)
            response = _render(org, call, reply)
        background.wake()
        return response if reply.wire is None else BrokenResponse(response, reply.wire)

    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])


def pass_gate(org: OrgState, call: Call) -> Answer:
    """Answer one HTTP request. Every request passes through here exactly once, whatever its path."""
    org.requests[_label(call)] += 1
    org.jobs.advance(org.clock)
    if org.faults is None:
        return _pass(org, call)
    below = call.path.removeprefix(f"/services/data/{call.version}") if call.version else call.path
    facts = RequestFacts(call.method, below, purpose_of(org, call.method, below, call), call.raw)
    answer, wire = org.faults.answer(facts, lambda: _pass(org, call))
    return replace(answer, wire=wire)


def _pass(org: OrgState, call: Call) -> Answer:
    try:
        if len(call.raw_uri) > MAX_URI_BYTES:
            return Answer(414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
        return _open_call(org, call) or _data_call(org, call)
    except ApiError as error:
        return Answer(error.status, error.body())


def _open_call(org: OrgState, call: Call) -> Answer | None:
    """Answer what costs no API call and needs no session, or return None."""
    match call.method, call.path:
        case "POST", "/services/oauth2/token":
            return auth.token(org, call)
        case "GET", "/services/oauth2/userinfo":
            return auth.userinfo(org, call)
        case "GET", path if path.startswith("/id/"):
            return auth.identity(org, call)
        case "GET", "/services/data":
            return versions()
    return None


def _data_call(org: OrgState, call: Call) -> Answer:
    if not call.version:
        raise not_found()
    if not org.sessions.knows(auth.bearer(call)):
        challenge = {"WWW-Authenticate": "Token"}
        error = ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return Answer(401, error.body(), challenge)
    if org.api_usage >= org.api_limit:
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    org.api_usage += 1
    usage = {"Sforce-Limit-Info": usage_header(org)}

    try:
        answer = dispatch(org, call.with_document(_document(call)))
    except ApiError as error:
        answer = Answer(error.status, error.body())

    return Answer(answer.status, answer.body, {**usage, **answer.headers})


def _document(call: Call) -> object:
    # What is PUT is the CSV of a job.
    if call.method not in ("POST", "PATCH") or not call.raw or is_multipart(call):
        return None
    try:
        return json.loads(call.raw)
    except ValueError as error:
        place = f"[line:{getattr(error, 'lineno', 1)}, column:{getattr(error, 'colno', 1)}]"
        raise unparsable(f"Unexpected character at {place}") from None


def _read(request: Request, raw: bytes) -> Call:
    path = request.url.path
    match = _VERSION.match(path)
    uri = request.scope.get("raw_path", b"") + b"?" + request.scope.get("query_string", b"")

    return Call(
        method=request.method,
        path=re.sub("/+", "/", path).rstrip("/"),
        query=dict(request.query_params),
        headers=dict(request.headers),
        raw=raw,
        raw_uri=uri,
        version=match[1] if match else "",
    )


def _label(call: Call) -> str:
    """Return `METHOD template` for the request counter, without host, version and ids."""
    found = find_route(call) if call.version else None
    if call.path.startswith("/id/"):
        return f"{call.method} {auth.IDENTITY}"
    return f"{call.method} {found[0].template or '/'}" if found else f"{call.method} {call.path}"


def _render(org: OrgState, call: Call, answer: Answer) -> Response:
    headers = {
        "Date": format_datetime(org.clock.now(), usegmt=True),
        "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
        **answer.headers,
    }
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, bytes):
        return _file(call, answer.status, answer.body, headers)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, "text/html;charset=UTF-8")

    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, answer.status, headers, "application/json;charset=UTF-8")


def _file(call: Call, status: int, raw: bytes, headers: dict[str, str]) -> Response:
    """Return the CSV of a job, with gzip for a client that accepts it."""
    if "gzip" in call.headers.get("accept-encoding", ""):
        return Response(gzip.compress(raw, compresslevel=1, mtime=0), status, {**headers, "Content-Encoding": "gzip"})
    return Response(raw, status, headers)
