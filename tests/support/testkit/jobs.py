"""The engine for jobs that belongs to a store, and a worker that works until a test has seen enough."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ringfence.connectors.procrastinate.engine import ProcrastinateEngine
from ringfence.core.ports.jobs import Handler, JobEngine, Tally
from ringfence.core.ports.services import Clock
from ringfence.core.state.jobs.engine import StateJobEngine
from ringfence.core.state.store import Store

SOON_S = 20.0
"""How long a test waits at most for what happens in a worker, in seconds."""


def open_engine(store: Store, clock: Clock) -> JobEngine:
    """Return the engine that belongs to the store's kind."""
    made: JobEngine = (
        StateJobEngine(store, clock) if store.engine.dialect.name == "sqlite" else ProcrastinateEngine(store, clock)
    )
    return made


def wait_until(condition: Callable[[], bool], within_s: float = SOON_S) -> None:
    """Wait until the condition holds. Fails where it never does."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


@contextmanager
def working(
    engine: JobEngine, handlers: Mapping[str, Handler], *queues: str, concurrency: int = 1
) -> Iterator[list[Tally]]:
    """Let a worker of these queues work in the background for the block; what it did stands in the list after it."""
    ending, tallies = threading.Event(), list[Tally]()

    def work() -> None:
        tallies.append(engine.work(handlers, queues or ("default",), concurrency=concurrency, must_end=ending.is_set))

    thread = threading.Thread(target=work, name="test-worker")
    thread.start()
    try:
        yield tallies
    finally:
        ending.set()
        thread.join(40)
    assert not thread.is_alive()
