"""The gate that every request goes through: its id, its line in the log, its figures, and an end to every fault."""

from __future__ import annotations

import logging
import random
import re
from pathlib import PurePath
from time import perf_counter
from traceback import extract_tb

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.core.numbers import mask_numbers

from ..logs import request_id
from .metrics import count, observe_duration
from .problems import FAULT, problem_response

REQUEST_ID = "X-Request-Id"

UNKNOWN = "unknown"
"""What a route is called in figures where there is none for a path."""

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONG_DIGITS = re.compile(r"\d{7}")
_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_PATH = 100

logger = logging.getLogger(__name__)


class Gate:
    """Gives each request an id, and tells of it once it is answered. Nothing that it is over ends in a stack trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        visit = _Visit(_find_id(scope), send)
        token = request_id.set(visit.id)
        began = perf_counter()
        try:
            await self._app(scope, receive, visit.send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer and the log its place
            _tell_fault(error)
            if not visit.status:
                await problem_response(FAULT)(scope, receive, visit.send)
        finally:
            _tell(scope, visit, perf_counter() - began)
            request_id.reset(token)


class _Visit:
    """One request: its id, and the status of its answer once that has begun; 0 where nobody waited for one."""

    def __init__(self, own_id: str, send: Send) -> None:
        self.id = own_id
        self.status = 0
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
        await self._send(message)


def _find_id(scope: Scope) -> str:
    """Return the id that the caller gave, where it is one that may stand in logs, else a new one."""
    given = next((value for key, value in scope["headers"] if key == b"x-request-id"), b"").decode("latin-1")
    # What may be a phone number is no id: ids are shown in full.
    is_sane = _SANE.fullmatch(given) and (_HEX.fullmatch(given) or not _LONG_DIGITS.search(given))
    return given if is_sane else f"{random.getrandbits(128):032x}"


def _tell(scope: Scope, visit: _Visit, seconds: float) -> None:
    route = find_route(scope)
    count("http_requests", route=route, method=_method(scope), status=str(visit.status))
    observe_duration(route, seconds)
    fields = {
        "method": _method(scope),
        "path": _path(scope) if route == UNKNOWN else route,
        "status": visit.status,
        "ms": round(seconds * 1000, 1),
    }
    caller = scope.get("state", {}).get("caller")
    logger.info("request", extra={**fields, **({"caller": caller} if caller else {})})


def find_route(scope: Scope) -> str:
    """Return the path of the route that answers a request, with its parameters by name."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _method(scope: Scope) -> str:
    return str(scope["method"]) if scope["method"] in _METHODS else "OTHER"


def _path(scope: Scope) -> str:
    """Return a path that there is no route for, as it may stand in a log."""
    return mask_numbers(str(scope["path"])[:_LONGEST_PATH])


def _tell_fault(error: Exception) -> None:
    """Log a fault by its kind and its place; what it says may hold data of the caller."""
    count("faults")
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(frame.filename).name}:{frame.lineno}"
    logger.error("A fault of ringfence itself: %s at %s.", type(error).__name__, where)
