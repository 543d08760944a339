"""Pacing of calls, so that a limit is kept rather than run into."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.core.ports.services import Clock


class WindowLimiter:
    """At most ``limit`` calls in any ``window_s`` seconds, shared by the threads that hold it."""

    def __init__(self, limit: int, window_s: float, clock: Clock) -> None:
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Return when one more call fits the window, waiting if it has to."""
        while (wait := self._try()) > 0:
            self._clock.sleep(wait)

    def _try(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            while self._calls and now - self._calls[0] >= self._window_s:
                self._calls.popleft()
            if len(self._calls) < self._limit:
                self._calls.append(now)
                return 0.0
            return self._window_s - (now - self._calls[0])
