"""Putting jobs on record as a schedule says, and carrying them out too where no other process does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ringfence.core.errors import StoppedError
from ringfence.core.ports.jobs import DEFAULT_QUEUE, JobEngine, Tally
from ringfence.core.runs.scheduler import PlannedJob, Scheduler
from ringfence.core.state.jobs.workers import served_queues
from ringfence.core.state.postgres import is_postgres
from ringfence.core.state.ticks import Ticks

from ..operations.schedule import LoadedSchedule
from ..wiring import Wiring
from .command import Forward
from .working import Health, work_off

LOOK_S = 0.25
"""How often is looked for whether the process must end, in seconds."""

STEP_S = 10.0
"""How often at least is looked at the clock, which may be set, and at what has to end, in seconds."""

AWAY_S = 5.0
"""The pause before the store is tried again that is away, in seconds."""

JOIN_S = 28.0
"""How long the work in this process may take to end, in seconds."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shift:
    """How a schedule is run: ``work`` tells whether this process carries its jobs out, None: where the state is a file.

    ``must_end`` tells whether the process was asked to end; ``forward`` shows a line of a command's standard error;
    ``began`` is called with the queues that this process takes jobs of itself.
    """

    work: bool | None
    concurrency: int
    health_file: Path | None
    must_end: Callable[[], bool]
    forward: Forward
    began: Callable[[Sequence[str]], None]


@dataclass(slots=True)
class Outcome:
    """What a scheduler did: ticks that it started and left out; ``jobs`` is what was carried out here, if anything."""

    started: int = 0
    left_out: int = 0
    jobs: Tally | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        counts = {"started": self.started, "left_out": self.left_out}
        return counts | ({"jobs": self.jobs.as_dict()} if self.jobs is not None else {})


def run_schedule(wiring: Wiring, loaded: LoadedSchedule, shift: Shift) -> Outcome:
    """Start what the schedule says when it says so, until the process must end.

    A store that is away is waited for. Raises StateError, FileError for the health file, and what ends the work in this
    process.
    """
    outcome = Outcome()
    health = Health(shift.health_file, wiring.clock.monotonic)
    with closing(wiring.open_state()) as store, closing(health):
        health.touch()
        works = not is_postgres(store.engine.url) if shift.work is None else shift.work
        jobs = wiring.open_jobs(store)

        def find_more() -> list[PlannedJob]:
            return loaded.plan_for(served_queues(store, wiring.clock) - {DEFAULT_QUEUE}) if takes_all else []

        takes_all = any(entry.takes_all for entry in loaded.entries)
        scheduler = Scheduler(loaded.plan(), Ticks(store), jobs, wiring.clock, find_more)
        scheduler.step()  # what cannot work is told before anything else
        served = [DEFAULT_QUEUE, *wiring.accounts()] if works else []
        _warn_of_unserved(loaded, served, jobs, served_queues(store, wiring.clock) - {DEFAULT_QUEUE})

        shift.began(served)
        with _working(wiring, shift, enabled=works) as work:
            _turn(wiring, scheduler, lambda: health.beat() or shift.must_end() or work.is_over)
        outcome.jobs = work.tally
    outcome.started, outcome.left_out = scheduler.started, scheduler.left_out
    return outcome


def _turn(wiring: Wiring, scheduler: Scheduler, must_end: Callable[[], bool]) -> None:
    """Take ticks as they fall due."""
    is_away = False
    while not must_end():
        now = wiring.clock.now()
        try:
            pause_s = _until(scheduler.step(), now)
        except StoppedError as error:
            if not is_away:
                logger.warning("%s The schedule waits for it.", error.message)
            is_away, pause_s = True, AWAY_S
        else:
            is_away = False
        _wait(pause_s, wiring, must_end)


def _until(moment: datetime | None, now: datetime) -> float:
    return STEP_S if moment is None else min(max((moment - now).total_seconds(), 0.0), STEP_S)


def _wait(seconds: float, wiring: Wiring, must_end: Callable[[], bool]) -> None:
    until = wiring.clock.monotonic() + seconds
    while (left := until - wiring.clock.monotonic()) > 0 and not must_end():
        wiring.clock.sleep(min(left, LOOK_S))


def _warn_of_unserved(loaded: LoadedSchedule, served: Sequence[str], jobs: JobEngine, others: Collection[str]) -> None:
    """Say whose jobs nobody would carry out as things stand."""
    for entry in loaded.entries:
        if not entry.queues and not loaded.plan_for(others):
            logger.warning(
                "%s: no account is set here, and no worker has one: it starts nothing until a worker has.",
                entry.job.name,
            )
    queues = dict.fromkeys(queue for entry in loaded.entries for queue in entry.queues)
    alone = ", ".join(queue for queue in queues if queue not in served and not jobs.live_workers(queue))
    if alone and served:
        logger.warning("This process has no credentials of %s, and no worker takes their jobs: they wait.", alone)
    elif alone:
        logger.warning("No `ringfence worker` takes jobs of %s right now: they wait for one.", alone)


@dataclass(slots=True)
class _Work:
    """The work in this process: what it did, and what ended it before its time."""

    tally: Tally | None = None
    error: BaseException | None = None
    must_end: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Return whether it has ended by itself, which it does by an error alone."""
        return self.error is not None


@contextmanager
def _working(wiring: Wiring, shift: Shift, *, enabled: bool) -> Iterator[_Work]:
    """Carry jobs out in a thread for as long as the block lasts. Raises what ended it before."""
    work = _Work()
    if not enabled:
        yield work
        return

    def take_jobs() -> None:
        try:
            work.tally = work_off(
                wiring,
                (),
                shift.concurrency,
                None,
                must_end=work.must_end.is_set,
                forward=shift.forward,
                began=lambda _queues: None,
            )
        except BaseException as error:  # noqa: BLE001 - it is raised where the block ends
            work.error = error

    thread = threading.Thread(target=take_jobs, name="ringfence-work", daemon=True)
    thread.start()
    try:
        yield work
    finally:
        work.must_end.set()
        thread.join(JOIN_S)
    if work.error is not None:
        raise work.error
