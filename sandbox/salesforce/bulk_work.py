"""Advances Bulk jobs between the requests: in the server's event loop, one step at a time."""

from __future__ import annotations

import asyncio

from .state import OrgState

LONGEST_NAP_S = 0.5
"""A clock that somebody moves forward is noticed after this time."""


class Background:
    """A background task that advances the jobs of an org while any of them is running."""

    def __init__(self, org: OrgState) -> None:
        self._org = org
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Start the task, unless it runs already or no job needs it; must be called in the server's event loop."""
        if (self._task is None or self._task.done()) and self._wait() is not None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while (wait := self._wait()) is not None:
            await asyncio.sleep(min(wait, LONGEST_NAP_S))
            with self._org.lock:
                # Little at a time, so that requests get their turn.
                self._org.jobs.advance(self._org.clock, budget_s=0.05)

    def _wait(self) -> float | None:
        with self._org.lock:
            return self._org.jobs.wait(self._org.clock.now())
