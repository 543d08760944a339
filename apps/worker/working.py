"""Taking jobs until the process is asked to end, and a file that shows probes that it really does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import FileError, UsageError
from ringfence.core.ports.jobs import DEFAULT_QUEUE, Tally
from ringfence.core.state.liveness import end_killed_screenings

from ..operations.kept_connections import KeptConnections
from ..operations.left_work import LeftWork
from ..wiring import Wiring
from .command import Forward
from .handlers import make_handlers
from .rounds import going_round

TOUCH_S = 5.0
"""How often the health file is touched, in seconds."""

logger = logging.getLogger(__name__)


def work_off(
    wiring: Wiring,
    queues: Sequence[str],
    concurrency: int,
    health_file: Path | None,
    *,
    must_end: Callable[[], bool],
    forward: Forward,
    began: Callable[[Sequence[str]], None],
) -> Tally:
    """Take jobs of the queues, of all that the settings have accounts for where none are named, until ``must_end``.

    ``began`` is called with them. Raises UsageError for a queue that this worker has no account for, and FileError
    where the health file cannot be written.
    """
    known = [DEFAULT_QUEUE, *wiring.accounts()]
    for queue in queues:
        if queue not in known:
            raise UsageError(
                f"This worker has no account {queue!r}{did_you_mean(queue, known)}.",
                f"Its queues are: {', '.join(known)}.",
            )
    mine = list(dict.fromkeys(queues)) or known

    health = Health(health_file, wiring.clock.monotonic)
    with closing(wiring.open_state()) as store, closing(health), closing(KeptConnections()) as kept:
        health.touch()
        began(mine)
        logger.info("worker begins", extra={"queues": ", ".join(mine), "concurrency": concurrency})
        jobs = wiring.open_jobs(store)
        end_killed_screenings(store, wiring.clock.now())
        with going_round(LeftWork(wiring, store, jobs, mine)):
            tally = jobs.work(
                make_handlers(wiring, forward, kept),
                mine,
                concurrency=concurrency,
                must_end=lambda: health.beat() or must_end(),
            )
        logger.info("worker ends", extra=tally.as_dict())
    return tally


class Health:
    """A file that is touched while the worker turns, and is gone once it has ended."""

    def __init__(self, file: Path | None, monotonic: Callable[[], float]) -> None:
        self._file = file
        self._monotonic = monotonic
        self._touched_at = monotonic()

    def touch(self) -> None:
        """Touch the file. Raises FileError where it cannot be."""
        if self._file is None:
            return
        try:
            self._file.touch()
        except OSError as error:
            raise FileError(
                f"The health file {self._file} cannot be written: {error.strerror}.",
                "Name one in a folder that is there.",
            ) from error

    def beat(self) -> bool:
        """Touch the file if it is time; return False, for that ends no worker."""
        if self._monotonic() - self._touched_at >= TOUCH_S:
            self._touched_at = self._monotonic()
            with suppress(FileError):  # the probe notices
                self.touch()
        return False

    def close(self) -> None:
        """Take the file away."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()
