"""A rate limit that nobody publishes, found out on the way: slower after a refusal, faster again as all goes well."""

from __future__ import annotations

import threading

from ringfence.core.ports.services import Clock

from .account_calls import AccountCalls

_FIRST_GAP_S = 0.005
_LONGEST_GAP_S = 1.0
_BURST_S = 0.5


class AdaptiveRate:
    """Spaces the calls of all threads, further apart after each "too many requests". Safe with threads.

    A pause that the other side asks for holds for all who share the ``calls`` to the account.
    """

    def __init__(self, clock: Clock, calls: AccountCalls) -> None:
        self._clock = clock
        self._calls = calls
        self._lock = threading.Lock()
        self._gap_s = 0.0
        self._next_call = 0.0
        self._slowed_at = float("-inf")

    def acquire(self) -> None:
        """Return when the next call may go out. Raises RetryError where a pause is too long to be waited for."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next_call)
            self._next_call = turn + self._gap_s

        if turn > now:
            self._clock.sleep(turn - now)
        self._calls.wait_for_pause()

    def slow_down(self, wait_s: float = 0.0) -> None:
        """Space calls further apart, because one was refused for its rate; the refusals of one burst count once.

        ``wait_s`` is the pause in seconds that the other side asked for: the limit is the account's, so all calls wait.
        """
        self._calls.pause(wait_s)
        with self._lock:
            now = self._clock.monotonic()
            self._next_call = max(self._next_call, now + wait_s)

            if now - self._slowed_at >= _BURST_S:
                self._slowed_at = now
                self._gap_s = min(_LONGEST_GAP_S, max(_FIRST_GAP_S, self._gap_s * 2))

    def speed_up(self) -> None:
        """Move calls a little closer together, because one was answered."""
        with self._lock:
            self._gap_s *= 0.998
