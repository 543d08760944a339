"""Requests that wait for lookups which a job buys, here or in another process: they look for what has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool

from ringfence.core.ports.services import Clock
from ringfence.core.state.asked_checks import find_waiting
from ringfence.core.state.store import Store

MOST = 40
"""Requests that wait at once; the next one is answered from what is known. So there is room for others beside them."""

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.05, 0.3


class Waiting:
    """The requests of one process that wait."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._at_it = 0

    async def wait(self, numbers: Sequence[str], seconds: float) -> Mapping[str, int]:
        """Wait until a provider was asked about these E.164 numbers, for so many seconds at most.

        Return those that wait still, with how often they were tried in vain.
        """
        until = self._clock.monotonic() + seconds
        pause_s = _FIRST_LOOK_S
        self._at_it += 1
        try:
            while True:
                left = await run_in_threadpool(self._look, numbers)
                is_untried = any(not tries for tries in left.values())
                remaining_s = until - self._clock.monotonic()
                if not is_untried or remaining_s <= 0 or self._at_it > MOST:
                    return left
                await asyncio.sleep(min(pause_s, remaining_s))
                pause_s = min(_LONGEST_LOOK_S, pause_s * 1.5)
        finally:
            self._at_it -= 1

    def _look(self, numbers: Sequence[str]) -> Mapping[str, int]:
        with self._store.transaction() as connection:
            return find_waiting(connection, self._store.keyring, numbers)
