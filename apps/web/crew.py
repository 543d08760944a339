"""The jobs of the service, worked off in its own process, with or without workers elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ringfence.core.ports.jobs import Tally

from ..steady import keep_on
from ..wiring import Wiring
from ..worker.command import Forward
from ..worker.working import work_off

AGAIN_S = 5.0
"""The pause before work that an error has ended begins again, in seconds: the service answers all the while."""

JOIN_S = 28.0
"""How long jobs that run may take to end, in seconds; the engine hands back what does not within less."""


class Crew:
    """Works jobs off in a thread of its own. ``tally`` is what it did in all."""

    def __init__(self, wiring: Wiring, concurrency: int, forward: Forward) -> None:
        self.tally = Tally()
        self._wiring = wiring
        self._concurrency = concurrency
        self._forward = forward
        self._must_end = threading.Event()
        self._works = threading.Event()
        self._thread = threading.Thread(target=self._keep_working, name="ringfence-work", daemon=True)

    def is_working(self) -> bool:
        """Return whether jobs are taken right now."""
        return self._works.is_set()

    def begin(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def end(self) -> None:
        """Ask for the end; what runs is ended or handed back. :meth:`join` waits for that."""
        self._must_end.set()

    def join(self) -> None:
        """Wait until the work has ended, for :data:`JOIN_S` at most."""
        self.end()
        self._thread.join(JOIN_S)

    def _keep_working(self) -> None:
        """Work until the end is asked for; an error is told, and the work begins again."""
        keep_on(self._work, self._must_end, AGAIN_S, "Jobs are not worked off")

    def _work(self) -> None:
        try:
            tally = work_off(
                self._wiring,
                (),
                self._concurrency,
                None,
                must_end=self._must_end.is_set,
                forward=self._forward,
                began=lambda _queues: self._works.set(),
            )
        finally:
            self._works.clear()
        for name, number in tally.as_dict().items():
            setattr(self.tally, name, getattr(self.tally, name) + number)


@contextmanager
def working(crew: Crew) -> Iterator[None]:
    """Work jobs off for the block; at its end what runs is waited for, unless an error leaves it."""
    crew.begin()
    try:
        yield
    except BaseException:
        crew.end()
        raise
    crew.join()
