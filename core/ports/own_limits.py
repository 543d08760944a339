"""Limits of calls that the threads of one process keep together, and nobody else."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from itertools import count

from .call_limits import Check, Rate, Ticket, refuse_long_pause
from .call_standing import CallStanding

_HERE = "this process"


class OwnLimits:
    """A :class:`ringfence.core.ports.call_limits.CallLimits` for one process; ``monotonic`` tells its seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._standings: defaultdict[str, CallStanding] = defaultdict(CallStanding)
        self._lock = threading.Lock()
        self._ids = count()

    def reserve(self, account: str, kind: str, rate: Rate) -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        with self._lock:
            return self._standings[account].reserve(kind, rate, _HERE, self._monotonic())

    def pause(self, account: str, seconds: float, kind: str = "") -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        with self._lock:
            self._standings[account].pause(kind, seconds, self._monotonic())

    def paused(self, account: str, kind: str = "") -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        with self._lock:
            pause = self._standings[account].paused(kind, self._monotonic())
        refuse_long_pause(pause)
        return pause

    def take(self, account: str, at_once: int, check: Check) -> Ticket | None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        ticket = Ticket(account, str(next(self._ids)))
        with self._lock:
            standing, now = self._standings[account], self._monotonic()
            taken = standing.take(ticket.id, _HERE, at_once, check, now, lambda _holder: False)
        return ticket if taken else None

    def give_back(self, ticket: Ticket, note: str | None = None) -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        with self._lock:
            self._standings[ticket.account].give_back(ticket.id, note, self._monotonic())
