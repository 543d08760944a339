"""Web pages that may ask ``/v1/check``: the answers that browsers want before and with it (CORS), by an allow list."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .listening import is_loopback
from .problems import ProblemError, problem_response

CHECK = "/v1/check"
"""The one path that web pages may call."""

_METHODS, _HEADERS = "POST", "Authorization, Content-Type, X-Request-Id"
_SHOWN = "Retry-After, X-Request-Id"
_REMEMBERED_S = 600
_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")
_OWN_PORTS = {"https": ":443", "http": ":80"}

NOT_LISTED = "This web page may not ask here. RINGFENCE_SERVE__ORIGINS lists those that may."
"""What a page hears that is not on the list."""


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers name it: scheme, host, and the port unless it is the scheme's own."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(_OWN_PORTS.get(parts.scheme, ''))}"


def own_origins(url: str) -> set[str]:
    """Return the origins of the service's own pages under its address; of this machine by each name that it has."""
    origin, parts = origin_of(url), urlsplit(url)
    host = parts.hostname or ""
    if not is_loopback(host):
        return {origin}
    port = f":{parts.port}" if parts.port else ""
    return {origin, *(origin_of(f"{parts.scheme}://{name}{port}") for name in _THIS_MACHINE)}


class Origins:
    """Tells browsers whether a page may call :data:`CHECK`, and lets everything else through."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        origin = find_origin(scope) if scope["type"] == "http" and scope["path"] == CHECK else None
        if origin is None:
            await self._app(scope, receive, send)
            return

        is_allowed = origin in self._allowed
        if scope["method"] == "OPTIONS":
            await self._answer_preflight(origin, is_allowed)(scope, receive, send)
            return

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_headers(origin, is_allowed)]
            await send(message)

        await self._app(scope, receive, send_named)

    def _answer_preflight(self, origin: str, is_allowed: bool) -> Response:
        if not is_allowed:
            return problem_response(ProblemError(403, NOT_LISTED, code="origin", headers={"Vary": "Origin"}))
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _HEADERS,
                "Access-Control-Max-Age": str(_REMEMBERED_S),
                "Vary": "Origin",
            },
        )


def find_origin(scope: Scope) -> str | None:
    """Return the origin of the page that a browser asks for; None where it names none."""
    return next((value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"origin"), None)


def _headers(origin: str, is_allowed: bool) -> list[tuple[bytes, bytes]]:
    vary = [(b"vary", b"Origin")]
    if not is_allowed:
        return vary
    return [
        *vary,
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _SHOWN.encode()),
    ]
