"""Denied acts, for the audit log: each is there, and nobody can flood it."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ringfence.core.ports.services import Clock
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.store import Store

QUIET_S = 60.0
"""For how many seconds the same act of the same caller is counted only; the next line tells how often it was."""

UNKNOWN_QUIET_S = 600.0
"""The same for callers without a token that counts, who could be anybody."""

UNKNOWN = "unknown"
"""The author of acts of whom no token tells who they are."""

_MOST_KEPT = 5_000


class Denials:
    """Enters denied acts into the audit log of a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, caller: str, subject: str, reason: str) -> None:
        """Enter an act that a caller, a token's name or :data:`UNKNOWN`, was denied. Raises the state's errors."""
        quiet_s = UNKNOWN_QUIET_S if caller == UNKNOWN else QUIET_S
        if (missed := self._is_due(caller, subject, quiet_s)) is None:
            return
        words = f"{reason} (and {missed} times more since the last entry)" if missed else reason
        with self._store.transaction() as connection:
            act = Act(self._clock.now(), caller, AuditAction.DENY, subject, words)
            AuditLog(self._store.keyring).append(connection, act)

    def _is_due(self, caller: str, subject: str, quiet_s: float) -> int | None:
        """Return how many were not told since the last entry where one is due; None where it is not."""
        with self._lock:
            now, key = self._clock.monotonic(), (caller, subject)
            told_at, missed = self._told.get(key, (-quiet_s, 0))
            if now - told_at < quiet_s:
                self._told[key] = told_at, missed + 1
                return None
            self._told[key] = now, 0
            self._told.move_to_end(key)
            if len(self._told) > _MOST_KEPT:
                self._told.popitem(last=False)
            return missed
