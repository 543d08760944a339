"""Answers that do not arrive as they should: late, cut, reset, or never."""

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
    """What happens to one answer: seconds of delay, how it ends, and the share of the body that a cut one keeps."""

    delay_s: float = 0.0
    end: Literal["answered", "truncated", "reset", "hanging"] = "answered"
    kept: float = 0.0


class Connection(H11Protocol):
    """uvicorn's HTTP protocol, which also hands itself to the application, as `scope["state"]["connection"]`."""

    idle = False
    """True while an answer is held back on purpose: then a server that stops does not wait for it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take a connection, and make it known to the application."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": self}

    def shutdown(self) -> None:
        """Begin to end, because the server stops."""
        super().shutdown()
        if self.idle:
            self.transport.abort()

    def reset(self) -> None:
        """Close without an orderly end: the client sees "connection reset by peer"."""
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


class BrokenResponse(Response):
    """A proper answer that is sent as `wire` says; needs a server that speaks Connection."""

    def __init__(self, answer: Response, wire: Wire) -> None:
        super().__init__(answer.body, answer.status_code)
        self.raw_headers = answer.raw_headers
        self.wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or what is left of it; returns early when the client has given up."""
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
    """Wait for the client to hang up, at most so long (None: for ever); tell whether it did."""
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
