"""The loop that takes jobs from the state's file and carries them out, each in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

from ...errors import RingfenceError, StoppedError
from ...ports.jobs import Handler, Job, Tally
from ...ports.services import Clock
from ..store import Store
from .attempts import Attempt, Ending, MustEnd, count, handed_back
from .claims import Claims
from .notes import Note, write_note
from .queue import JobQueue, changing
from .workers import Registration, count_others, registered

PAUSE_S = 0.3
"""How often is looked for jobs while there are none, and for whether those that run must end, in seconds."""

SWEEP_S = 5.0
"""How often is looked for jobs of workers that have died, in seconds."""

GRACE_S = 25.0
"""How long the jobs that run may take to end once the worker ends, in seconds; after that they are handed back."""

KEPT_DAYS = 30
"""Days for which jobs that are over stay on record."""

FORGET_S = 3600.0
"""How often those are looked for that are older, in seconds."""

AWAY_S = 2.0
"""The pause before the store is tried again that is away, in seconds."""

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Slot:
    """A job that is carried out, and whether it must end."""

    job: Job
    note: Note
    must_end: MustEnd = MustEnd.NO
    thread: threading.Thread | None = None
    ending: Ending | None = None


@dataclass(slots=True)
class _Shift:
    """What one call of `work` goes by: its handlers and queues, and what it carries out right now."""

    handlers: Mapping[str, Handler]
    queues: Sequence[str]
    concurrency: int
    worker: Registration
    slots: list[_Slot] = field(default_factory=list)
    turn: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)
    sweep_at: float = -inf
    forget_at: float = -inf
    is_away: bool = False


class StateJobEngine(JobQueue):
    """Jobs in an SQLite store, and the loop that carries them out. Several processes of a machine may share it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self._claims = Claims(store, clock)

    def live_workers(self, queue: str) -> int:
        """Return how many other processes take jobs of this queue right now."""
        return count_others(self._store, self._clock, queue)

    def work(
        self,
        handlers: Mapping[str, Handler],
        queues: Sequence[str],
        *,
        concurrency: int = 1,
        must_end: Callable[[], bool] = lambda: False,
        until_empty: bool = False,
    ) -> Tally:
        """Take jobs of these queues and carry them out, up to ``concurrency`` at once, until ``must_end``.

        With ``until_empty`` it also returns when no job of these queues is waiting or running. Jobs that run while it
        has to end are asked to end too, and are handed back after :data:`GRACE_S`. Return what was done.
        """
        with registered(self._store, self._clock, queues) as worker:
            shift = _Shift(handlers, queues, concurrency, worker)
            try:
                while not must_end():
                    if worker.fault is not None:
                        raise worker.fault
                    if self._turn(shift, until_empty=until_empty):
                        break
            finally:
                self._end_all(shift)
            return shift.tally

    def _turn(self, shift: _Shift, *, until_empty: bool) -> bool:
        """Take what can be taken, and look after what runs; return whether all is done that was asked for."""
        try:
            self._sweep(shift)
            self._look_after(shift)
            while len(shift.slots) < shift.concurrency and self._take(shift):
                pass
            is_over = until_empty and not shift.slots and not self._claims.are_open(shift.queues)
        except StoppedError as error:
            self._say_away(shift, error)
            shift.turn.wait(AWAY_S)
            return False

        shift.is_away = False
        if not is_over:
            shift.turn.wait(PAUSE_S)
            shift.turn.clear()
        return is_over

    def _sweep(self, shift: _Shift) -> None:
        now = self._clock.monotonic()
        if now >= shift.sweep_at:
            shift.sweep_at = now + SWEEP_S
            self._claims.free_of_the_dead()
        if now >= shift.forget_at:
            shift.forget_at = now + FORGET_S
            self._claims.forget_old(KEPT_DAYS)

    def _take(self, shift: _Shift) -> bool:
        taken = self._claims.take(shift.worker.id, shift.queues)
        if taken is None:
            return False
        slot = _Slot(*taken)
        slot.thread = threading.Thread(
            target=self._carry_out, args=(shift, slot), name=f"ringfence-job-{slot.job.id}", daemon=True
        )
        shift.slots.append(slot)
        slot.thread.start()
        return True

    def _carry_out(self, shift: _Shift, slot: _Slot) -> None:
        attempt = Attempt(slot.job, slot.note, self._clock, lambda: slot.must_end, lambda note: self._keep(slot, note))
        slot.ending = attempt.carry_out(shift.handlers)
        shift.turn.set()

    def _keep(self, slot: _Slot, note: Note) -> None:
        """Put on record how far a job is; that it cannot be done ends no job."""
        with suppress(RingfenceError), changing(self._store) as connection:
            if slot.must_end is not MustEnd.LOST:
                write_note(connection, int(slot.job.id), note)

    def _look_after(self, shift: _Shift) -> None:
        """Put on record what has ended, and tell those that run whether they must end."""
        for slot in [slot for slot in shift.slots if slot.ending is not None]:
            self._settle(shift, slot, slot.ending)
        if not shift.slots:
            return
        must_end = self._claims.must_end(shift.worker.id, [slot.job.id for slot in shift.slots])
        for slot in shift.slots:
            if slot.must_end is MustEnd.NO:
                slot.must_end = must_end.get(slot.job.id, MustEnd.NO)

    def _settle(self, shift: _Shift, slot: _Slot, ending: Ending | None) -> None:
        ending = ending or handed_back(slot.note)
        if self._claims.end(shift.worker.id, slot.job, ending):
            count(shift.tally, slot.job, ending)
        else:
            logger.warning("Job %s was taken over by another worker.", slot.job.id)
        shift.slots.remove(slot)

    def _end_all(self, shift: _Shift) -> None:
        """Let what runs come to its end, and hand back what does not."""
        for slot in shift.slots:
            if slot.must_end is MustEnd.NO:
                slot.must_end = MustEnd.WORKER_ENDS
        until = self._clock.monotonic() + GRACE_S
        for slot in shift.slots:
            if slot.thread is not None:
                slot.thread.join(max(0.0, until - self._clock.monotonic()))

        # Where the store is away just now, the next worker finds a job whose worker has died.
        with suppress(StoppedError):
            for slot in list(shift.slots):
                self._settle(shift, slot, slot.ending)

    def _say_away(self, shift: _Shift, error: StoppedError) -> None:
        if not shift.is_away:
            logger.warning("%s The worker waits for it.", error.message)
        shift.is_away = True
