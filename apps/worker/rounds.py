"""Rounds that a process makes beside its jobs: work that was left is given a job."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ..operations.left_work import LEFT_FOR, LeftWork
from ..steady import keep_on

EVERY_S = 60.0
"""How often a round is made, in seconds."""

JOIN_S = 5.0
"""How long a round may take to end, in seconds; what it does is one step in the state."""


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
    waited = timedelta(0)

    def go_round() -> None:
        nonlocal waited
        left.give_jobs(left_for=waited)
        waited = LEFT_FOR

    keep_on(go_round, must_end, every_s, "Work that was left is not looked for")
