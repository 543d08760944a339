"""Calls a second that a provider takes, found out on the way: providers publish no figure."""

from __future__ import annotations

import threading

from ringfence.core.ports.services import Clock

_STEP_S = 0.005
_SLOWEST_S = 1.0
_ONCE_IN_S = 0.5


class Pace:
    """Spaces the calls of all threads: further apart after a "too many requests", closer again as all goes well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gap_s = 0.0
        self._next = 0.0
        self._slowed = float("-inf")

    def acquire(self) -> None:
        """Return when the next call may go out."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap_s
        if turn > now:
            self._clock.sleep(turn - now)

    def slow_down(self, wait_s: float = 0.0) -> None:
        """Take in that the provider refused a call for its rate; the calls of one burst count once.

        ``wait_s`` is the pause that it asked for: the limit is the account's, so all calls wait.
        """
        with self._lock:
            now = self._clock.monotonic()
            self._next = max(self._next, now + wait_s)
            if now - self._slowed >= _ONCE_IN_S:
                self._slowed = now
                self._gap_s = min(_SLOWEST_S, max(_STEP_S, self._gap_s * 2))

    def speed_up(self) -> None:
        """Take in that the provider answered."""
        with self._lock:
            self._gap_s *= 0.998
