"""SIGTERM: ends a run behind its running batch, and everything else at once; the exit code is 143."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from types import FrameType

from ringfence.core.errors import Terminated

GRACE_S = 8.0
"""How long a running batch may take to end; what stops services mostly kills them after ten seconds."""

JOBS_GRACE_S = 29.0
"""How long jobs that run may take to end: what stops workers and schedulers mostly kills them after thirty seconds."""

ANSWERS_S = 5.0
"""How long of that it may wait for lookups that are on their way: what is left is for writing what they said."""


ECHO_S = 1.0
"""For how many seconds another SIGTERM counts as the same one: `timeout` sends it to the process and to its group."""


class Termination:
    """Whether the process was asked to end, and what becomes of that."""

    def __init__(self) -> None:
        self.asked = False
        self.interrupted = False
        self._asked_at = 0.0
        self._waits = False
        self._grace_s = GRACE_S

    def listen(self) -> None:
        """Answer SIGTERM from now on. Must be called in the main thread."""
        signal.signal(signal.SIGTERM, self._take)

    def patience(self) -> float:
        """Return for how many seconds an answer that is on its way may be waited for; without end until asked."""
        return max(0.0, self._asked_at + ANSWERS_S - monotonic()) if self.asked else inf

    @contextmanager
    def after_the_batch(self, grace_s: float = GRACE_S, *, after_interrupt: bool = False) -> Iterator[None]:
        """Let the block end by itself when :attr:`asked`; where it has not within the grace, it is broken off.

        With ``after_interrupt`` Ctrl-C asks as SIGTERM does; :attr:`interrupted` then tells them apart.
        """
        self._waits, self._grace_s = True, grace_s
        before = signal.signal(signal.SIGINT, self._take) if after_interrupt else None
        try:
            yield
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
            self._waits = False
            self._set_alarm(0)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._waits and self.asked and number == signal.SIGTERM and monotonic() < self._asked_at + ECHO_S:
            return
        broken_off = self.asked or not self._waits
        if not self.asked:
            self.asked, self._asked_at = True, monotonic()
            self.interrupted = number == signal.SIGINT
        if broken_off:
            raise Terminated
        self._set_alarm(self._grace_s)

    def _set_alarm(self, seconds: float) -> None:
        if self.asked and hasattr(signal, "setitimer"):  # Windows has none: there the batch takes as long as it takes
            signal.signal(signal.SIGALRM, self._take)
            signal.setitimer(signal.ITIMER_REAL, seconds)


termination = Termination()
