"""When requests came to a service, and how many it refused as too many."""

from __future__ import annotations

import time
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOO_MANY = 429


class RequestWatch:
    """An application that counts what another one is asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._times: list[float] = []
        self.refused = 0

    @property
    def count(self) -> int:
        """Return how many requests came."""
        return len(self._times)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        self._times.append(time.monotonic())

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == TOO_MANY:
                self.refused += 1
            await send(message)

        await self._app(scope, receive, answer)

    def busiest(self, seconds: float) -> int:
        """Return the most requests that came within so many seconds."""
        most, window = 0, deque[float]()
        for moment in self._times:
            window.append(moment)
            while window[0] <= moment - seconds:
                window.popleft()
            most = max(most, len(window))
        return most
