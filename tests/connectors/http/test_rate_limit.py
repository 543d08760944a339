"""Pacing: no window holds more calls than its limit, and no call waits longer than it has to."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.http.rate_limit import WindowLimiter
from testkit.clock import SetClock


class CountedClock:
    """A clock that sleeping moves, in whole milliseconds so that sums are exact; it keeps each thread's last look."""

    def __init__(self) -> None:
        self.ms = 0
        self._lock = threading.Lock()
        self._seen = threading.local()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ms / 1000, UTC)

    def monotonic(self) -> float:
        self._seen.ms = seen = self.ms
        return seen / 1000

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.ms += max(1, round(seconds * 1000))

    @property
    def looked_at(self) -> int:
        """The moment, in milliseconds, at which this thread was last let through."""
        return int(self._seen.ms)


def fullest_window(moments: list[int], window_ms: int) -> int:
    """Return the most calls that any window of that width holds."""
    return max(sum(start <= moment < start + window_ms for moment in moments) for start in moments)


@given(
    limit=st.integers(1, 6),
    window_ms=st.integers(1, 1000),
    pauses=st.lists(st.integers(0, 700), min_size=1, max_size=40),
)
def test_no_window_holds_more_than_the_limit_and_nobody_waits_in_vain(
    limit: int, window_ms: int, pauses: list[int]
) -> None:
    clock = CountedClock()
    limiter = WindowLimiter(limit, window_ms / 1000, clock)
    moments: list[int] = []

    for pause in pauses:
        clock.ms += pause
        begun = clock.ms
        limiter.acquire()

        # The call that leaves the window is the one `limit` calls ago.
        free = moments[-limit] + window_ms if len(moments) >= limit else begun

        assert max(begun, free) <= clock.ms <= max(begun, free) + 1

        moments.append(clock.ms)

    assert fullest_window(moments, window_ms) <= limit


def test_a_burst_waits_for_the_window_and_not_call_by_call(clock: SetClock) -> None:
    limiter = WindowLimiter(3, 10, clock)
    started = clock.monotonic()
    waits = []
    for _ in range(7):
        limiter.acquire()
        waits.append(clock.monotonic() - started)

    assert waits == [0, 0, 0, 10, 10, 10, 20]


class Revealing(deque[float]):
    """Lets other threads in behind every look at how many calls there were, which the limiter's lock has to prevent."""

    def __len__(self) -> int:
        count = super().__len__()
        time.sleep(0.0001)
        return count


def test_threads_share_one_limit() -> None:
    clock, moments, lock, ready = CountedClock(), [], threading.Lock(), threading.Barrier(8)
    limiter = WindowLimiter(4, 0.1, clock)
    limiter._calls = Revealing()

    def call() -> None:
        ready.wait()
        for _ in range(5):
            limiter.acquire()
            with lock:
                moments.append(clock.looked_at)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join(30)

    assert len(moments) == 40
    assert fullest_window(moments, 100) <= 4
