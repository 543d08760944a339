"""HubSpot's two rate limits, kept rather than run into."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress

from ringfence.core.ports.services import Clock

from ..http.rate_limit import WindowLimiter

SEARCHES_PER_SECOND = 4
"""HubSpot documents five a second for the whole account, but recorded refusals begin with the fifth."""

CALLS = 100
WINDOW_MS = 10_000
"""The smallest published rate limit of an app, which holds until an answer's headers give the portal's own."""

_SHARE = 0.95  # calls can arrive closer together than they were sent


class PortalLimits:
    """One limiter for searches and one for all other calls; the latter learns its size from answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._searches = WindowLimiter(SEARCHES_PER_SECOND, 1.0, clock)
        self._size = (CALLS, WINDOW_MS)
        self._day: tuple[int, int] | None = None
        self._calls = self._limiter()
        self._lock = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """Return the limit of calls that are no searches, as (calls, milliseconds)."""
        return self._size

    @property
    def day(self) -> tuple[int, int] | None:
        """Return how many calls are left today, and how many there are a day; None where no answer has told yet."""
        return self._day

    def acquire(self, *, search: bool) -> None:
        """Return when one more call is allowed."""
        (self._searches if search else self._calls).acquire()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Adopt the limit in an answer's headers, which answers to searches leave out, and what is left of the day."""
        with suppress(KeyError, ValueError):
            left, limit = headers["X-HubSpot-RateLimit-Daily-Remaining"], headers["X-HubSpot-RateLimit-Daily"]
            self._day = (int(left), int(limit))
        try:
            size = (
                int(headers["X-HubSpot-RateLimit-Max"]),
                int(headers["X-HubSpot-RateLimit-Interval-Milliseconds"]),
            )
        except (KeyError, ValueError):
            return

        with self._lock:
            if size != self._size and min(size) > 0:
                self._size = size
                self._calls = self._limiter()

    def _limiter(self) -> WindowLimiter:
        calls, window_ms = self._size
        return WindowLimiter(max(1, int(calls * _SHARE)), window_ms / 1000, self._clock)
