"""Rounds that a process makes beside its jobs: work that was left is given a job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ringfence.core.errors import RingfenceError, StoppedError

from ..operations.left_work import LEFT_FOR, LeftWork

EVERY_S = 60.0
"""How often a round is made, in seconds."""

JOIN_S = 5.0
"""How long a round may take to end, in seconds; what it does is one step in the state."""

logger = logging.getLogger(__name__)


@contextmanager
def going_round(left: LeftWork, every_s: float = EVERY_S) -> Iterator[None]:
    """Look for work that was left, at once and every so many seconds, in a thread of its own, for the block.

    The first round asks for all that waits: whatever this process, or another one, was at when it ended.
    """
    must_end = threading.Event()
    thread = threading.Thread(target=_go, args=(left, every_s, must_end), name="ringfence-rounds", daemon=True)
    thread.start()
    try:
        yield
    finally:
        must_end.set()
        thread.join(JOIN_S)


def _go(left: LeftWork, every_s: float, must_end: threading.Event) -> None:
    told, left_for = "", timedelta(0)
    while not must_end.is_set():
        try:
            left.give_jobs(left_for=left_for)
            told, left_for = "", LEFT_FOR
        except RingfenceError as error:
            if error.message != told:
                told = error.message
                level = logging.WARNING if isinstance(error, StoppedError) else logging.ERROR
                logger.log(level, "It cannot be looked for work that was left: %s", error)
        except Exception:
            logger.exception("it cannot be looked for work that was left, by a fault")
        must_end.wait(every_s)
