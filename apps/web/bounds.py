"""What bounds a request before any route sees it: how much is worked at once, how large and how slow a body may be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import count
from .problems import ProblemError, problem_response

BODY_S = 20.0
"""How long a body may take to arrive, in seconds (docs/contract.md, section 5)."""

ANSWER_S = 40.0
"""How long an answer may take once the body is there, in seconds: longer than the longest ``wait_s``."""

MOST_AT_ONCE = 100
"""Requests that are worked on at once; the next one is told to come back."""

MOST_ARRIVING = 400
"""Requests whose bodies are on their way at once, which hold memory alone."""

MOST_HELD = 64
"""How many bodies of the largest size those may hold together: slow senders must not fill the memory."""

DRAINED = 32
"""How many times its limit a body that is too large is read and thrown away, so that its sender hears why."""

HUBSPOT = "/hubspot/"
"""Paths that HubSpot calls: it reads Retry-After in milliseconds, and gives up on every 4xx but 429."""

_FREE = ("/healthz", "/readyz", "/metrics")
_RETRY_S = 1
_DRAIN_S = 5.0


@dataclass(slots=True)
class _Load:
    """How many requests are on their way, how many bytes those hold, and how many requests are worked on."""

    arriving: int = 0
    held: int = 0
    at_work: int = 0


class Bounds:
    """Reads a body within its bounds and hands the request on, where there is room for it."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self._app = app
        self._max_body = max_body
        self._load = _Load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, itself where it keeps to no bound."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except _TooLargeError:
            await self._refuse_large(scope, receive, send)
            return
        except _GoneError:
            return
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send)
            return
        await self._work(scope, body, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body. Raises ProblemError, and the module's errors for one that is too large or cut off."""
        if (announced := _announced(scope)) is not None and announced > self._max_body:
            raise _TooLargeError
        if self._load.arriving >= MOST_ARRIVING:
            raise _overload(scope)
        self._load.arriving += 1
        try:
            async with asyncio.timeout(BODY_S):
                return await self._collect(scope, receive)
        except TimeoutError:
            count("http_refused", reason="slow_body")
            raise _too_slow(scope) from None
        finally:
            self._load.arriving -= 1

    async def _collect(self, scope: Scope, receive: Receive) -> bytes:
        body, more = bytearray(), True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _GoneError
                part = message.get("body", b"")
                body += part
                self._load.held += len(part)
                more = message.get("more_body", False)
                if len(body) > self._max_body:
                    raise _TooLargeError
                if more and self._load.held > MOST_HELD * self._max_body:
                    raise _overload(scope)
        finally:
            self._load.held -= len(body)
        return bytes(body)

    async def _work(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        if self._load.at_work >= MOST_AT_ONCE:
            await problem_response(_overload(scope))(scope, receive, send)
            return
        answer = _Answer(send)
        self._load.at_work += 1
        task = asyncio.ensure_future(self._app(scope, _replayed(body, receive), answer.send))
        task.add_done_callback(self._leave)
        try:
            done, _ = await asyncio.wait({task}, timeout=ANSWER_S)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done and answer.take_over():
            count("http_refused", reason="slow_answer")
            await problem_response(_no_answer(scope))(scope, receive, send)
            return
        await task

    def _leave(self, task: asyncio.Future[Any]) -> None:
        self._load.at_work -= 1
        if not task.cancelled():
            task.exception()  # it is told by whoever waits for the task, or it came too late for anybody

    async def _refuse_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that a body is too large, and read on for a while: who still sends would not hear it otherwise."""
        count("http_refused", reason="too_large")
        problem = ProblemError(
            413,
            f"The body is larger than {self._max_body:,} bytes. Send fewer things at once.",
            code="too_large",
            headers={"Connection": "close"},
        )
        response = problem_response(problem)
        await send({"type": "http.response.start", "status": 413, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        if not _waits_for_word(scope):
            with suppress(TimeoutError, _GoneError):
                async with asyncio.timeout(_DRAIN_S):
                    await _drain(receive, self._max_body * DRAINED)
        await send({"type": "http.response.body", "body": b""})


class _TooLargeError(Exception):
    """The body is larger than allowed."""


class _GoneError(Exception):
    """The caller has gone before the body was there."""


class _Answer:
    """The answer of a route, unless it came too late and another one was given in its place."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False
        self._is_late = False

    async def send(self, message: Message) -> None:
        """Send a part of the answer; nothing any more once it is late."""
        if self._is_late:
            return
        self._has_begun = True
        await self._send(message)

    def take_over(self) -> bool:
        """Let another answer be given, where this one has not begun; return whether it may."""
        self._is_late = not self._has_begun
        return self._is_late


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read before, in one piece."""
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _drain(receive: Receive, most: int) -> None:
    read, more = 0, True
    while more and read < most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        read += len(message.get("body", b""))
        more = message.get("more_body", False)


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def _announced(scope: Scope) -> int | None:
    value = _header(scope, b"content-length")
    return int(value) if value is not None and value.isdigit() else None


def _waits_for_word(scope: Scope) -> bool:
    """Return whether the caller sends its body only when told to."""
    return (_header(scope, b"expect") or b"").lower() == b"100-continue"


def retry_after(scope: Scope, seconds: float) -> dict[str, str]:
    """Return the header that says when to come back, in the unit that the caller of this path reads."""
    is_hubspot = scope["path"].startswith(HUBSPOT)
    return {"Retry-After": str(round(seconds * 1_000)) if is_hubspot else str(max(1, round(seconds)))}


def _overload(scope: Scope) -> ProblemError:
    count("http_refused", reason="overload")
    detail = "The service has as much to do as it takes on at once. Call again."
    return ProblemError(429, detail, code="overload", headers=retry_after(scope, _RETRY_S))


def _too_slow(scope: Scope) -> ProblemError:
    is_hubspot = scope["path"].startswith(HUBSPOT)
    return ProblemError(
        503 if is_hubspot else 408,
        f"The body did not arrive within {BODY_S:.0f} seconds.",
        code="slow_body",
        headers={"Connection": "close", **(retry_after(scope, _RETRY_S) if is_hubspot else {})},
    )


def _no_answer(scope: Scope) -> ProblemError:
    detail = f"There was no answer within {ANSWER_S:.0f} seconds. Call again."
    return ProblemError(503, detail, code="slow_answer", headers=retry_after(scope, _RETRY_S))
