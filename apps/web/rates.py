"""How many requests a second a caller may send."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000
"""How many callers are remembered; the one that has been away for longest is forgotten first, as if it were new."""


class Rates:
    """A bucket of tokens for each caller: ``rate`` a second flow in, and as many fit. Of one process alone."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> float:
        """Take one for a request; return 0, or after how many seconds there will be one where there is none now."""
        with self._lock:
            now = self._monotonic()
            left, then = self._buckets.pop(caller, (self._rate, now))
            left = min(self._rate, left + (now - then) * self._rate)
            wait_s = 0.0 if left >= 1 else (1 - left) / self._rate
            self._buckets[caller] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
            return wait_s
