"""Letting calls to one account out as its limits say, waiting by the clock of whoever calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import uniform

from ringfence.core.ports.call_limits import CallLimits, Check, Rate
from ringfence.core.ports.services import Clock

_FIRST_LOOK_S, _LAST_LOOK_S = 0.01, 0.2
"""How often it is looked whether a call may go out while too many are under way."""


class AccountCalls:
    """The calls to one account, which all that share its ``limits`` keep. Safe with threads.

    Every method raises RetryError where a pause is too long to be waited for, and StoppedError where the store that
    keeps the limits is away.
    """

    def __init__(self, limits: CallLimits, clock: Clock, account: str) -> None:
        self._limits = limits
        self._clock = clock
        self._account = account

    def wait_for_place(self, kind: str, rate: Rate) -> None:
        """Return when one more call of the kind may go out."""
        wait_s = self._limits.reserve(self._account, kind, rate)
        while wait_s > 0:
            self._clock.sleep(wait_s)
            # Somebody may have been asked for a pause meanwhile: then the place is one behind it.
            wait_s = self._limits.reserve(self._account, kind, rate) if self._limits.paused(self._account, kind) else 0

    def wait_for_pause(self) -> None:
        """Return when no pause is on."""
        while (wait_s := self._limits.paused(self._account)) > 0:
            self._clock.sleep(wait_s)

    def pause(self, seconds: float, kind: str = "") -> None:
        """Let nobody call for so long, because the other side asked for it; ``kind`` empty: no call at all."""
        if seconds > 0:
            self._limits.pause(self._account, seconds, kind)

    @contextmanager
    def hold(self, at_once: int, check: Check, note: Callable[[], str | None]) -> Iterator[None]:
        """Have one call under way for the block, waiting while ``at_once`` others are.

        ``note`` is asked at its end what to leave for the next calls, None for nothing. Raises what ``check`` raises.
        """
        self.wait_for_pause()
        look_s = _FIRST_LOOK_S
        while (ticket := self._limits.take(self._account, at_once, check)) is None:
            self._clock.sleep(uniform(look_s / 2, look_s))  # noqa: S311  # spreads the looks, hides nothing
            look_s = min(look_s * 1.5, _LAST_LOOK_S)
        try:
            yield
        finally:
            self._limits.give_back(ticket, note())
