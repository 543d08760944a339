"""Connections of callers: how long one may take to say what it wants, how many there may be, and unreadable ones.

uvicorn alone waits for the head of a request without end, so that whoever opens connections and says nothing, or says
it a byte at a time, could keep the service from everybody else.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .metrics import count
from .problems import MEDIA_TYPE, problem_bytes

HEAD_S = 10.0
"""How long the head of a request may take to arrive, in seconds."""

IDLE_S = 65
"""How long a connection without a request stays open, in seconds: longer than load balancers keep theirs."""

MOST_CONNECTIONS = 800
"""Beyond this a further one is closed at once: most systems give a process a thousand and some files."""

LONGEST_HEAD = 32_768
"""Bytes of a request's head at most."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to patience."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin with a connection, or end it at once where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            count("http_refused", reason="too_many_connections")
            transport.abort()
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of a head that has begun."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._head_timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document."""
        del msg
        count("http_refused", reason="no_http")
        self._refuse(400, "This is no HTTP request that can be read.")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if not self.conn.trailing_data[0]:
            self.transport.close()  # nothing was said, and nobody waits for an answer
            return
        count("http_refused", reason="slow_head")
        self._refuse(408, f"The head of the request did not arrive within {HEAD_S:.0f} seconds.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without any route, and end the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = problem_bytes(status, detail)
            headers = {
                "content-type": MEDIA_TYPE,
                "content-length": str(len(body)),
                "connection": "close",
                "x-request-id": token_hex(16),
            }
            reason = HTTPStatus(status).phrase.encode()
            events: list[Any] = [
                h11.Response(status_code=status, headers=list(headers.items()), reason=reason),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ]
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()
