"""The limits of calls that connectors are given before a state store is open: shared from then on."""

from __future__ import annotations

from ..ports.call_limits import CallLimits, Check, Rate, Ticket
from ..ports.own_limits import OwnLimits
from ..ports.services import Clock
from .shared_limits import SharedLimits
from .store import Store


class LimitsOfState:
    """A :class:`ringfence.core.ports.call_limits.CallLimits`: of all processes on the store that this one has open.

    While none is open, as in a check of an account, they are kept by this process alone.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._own = OwnLimits(clock.monotonic)
        self._shared: list[tuple[Store, SharedLimits]] = []

    def share(self, store: Store) -> None:
        """Keep the limits together with the other processes on this store, until it is closed."""
        still_open = [each for each in self._shared if not each[0].is_closed]
        self._shared = [*still_open, (store, SharedLimits(store, self._clock))]

    def reserve(self, account: str, kind: str, rate: Rate) -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        return self._current().reserve(account, kind, rate)

    def pause(self, account: str, seconds: float, kind: str = "") -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        self._current().pause(account, seconds, kind)

    def paused(self, account: str, kind: str = "") -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        return self._current().paused(account, kind)

    def take(self, account: str, at_once: int, check: Check) -> Ticket | None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        return self._current().take(account, at_once, check)

    def give_back(self, ticket: Ticket, note: str | None = None) -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        self._current().give_back(ticket, note)

    def _current(self) -> CallLimits:
        for store, limits in reversed(self._shared):
            if not store.is_closed:
                return limits
        return self._own
