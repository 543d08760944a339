"""Delivery faults: answers that arrive late, cut short, with a reset connection, or never."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends a reset instead of an orderly end."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How one answer is delivered: after `delay_s` seconds, and with which end.

    A `truncated` answer keeps the share `kept` (0 to 1) of its body, a `reset` or `hanging` one sends nothing.
    """

    delay_s: float = 0.0
    end: Literal["answered", "truncated", "reset", "hanging"] = "answered"
    kept: float = 0.0


class Connection(H11Protocol):
    """uvicorn's HTTP protocol; the application finds it in `scope["state"]["connection"]`, and can break it there."""

    idle = False
    """True while an answer is held back on purpose: then a server that stops does not wait for it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Accept a connection, and pass it on to the application."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": self}

    def shutdown(self) -> None:
        """End the connection, because the server stops: at once when an answer is held back on purpose."""
        super().shutdown()
        if self.idle:
            self.transport.abort()

    def reset(self) -> None:
        """Reset the connection: the client sees "connection reset by peer"."""
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


class BrokenResponse(Response):
    """An answer that is delivered as `wire` says; it needs a server whose HTTP protocol is Connection."""

    def __init__(self, answer: Response, wire: Wire) -> None:
        super().__init__(answer.body, answer.status_code)
        self.raw_headers = answer.raw_headers
        self.wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Deliver the answer, or what the fault leaves of it; return early when the client closes the connection."""
        wire, connection = self.wire, scope["state"]["connection"]
        if wire.end == "hanging":
            await _hold(connection, receive, None)
        elif wire.delay_s and await _hold(connection, receive, wire.delay_s):
            return
        elif wire.end == "answered":
            await super().__call__(scope, receive, send)
        else:
            await self._break(connection, send)
            # The server takes an application that returns too early for a broken one.
            await _hold(connection, receive, None)

    async def _break(self, connection: Connection, send: Send) -> None:
        body = bytes(self.body)
        if self.wire.end == "reset" or not body:
            connection.reset()
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        kept = body[: int(len(body) * self.wire.kept)]
        await send({"type": "http.response.body", "body": kept, "more_body": True})
        connection.transport.close()


async def _hold(connection: Connection, receive: Receive, seconds: float | None) -> bool:
    """Wait until the client closes the connection, at most `seconds` (None: for ever); return whether it did."""
    connection.idle = True
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    finally:
        connection.idle = False
    return True
