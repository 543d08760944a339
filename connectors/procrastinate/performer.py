"""One job, carried out in a thread of its own, and how Procrastinate is told what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from procrastinate import JobContext, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job as Carried
from procrastinate.retry import BaseRetryStrategy

from ringfence.core.errors import RingfenceError, StoppedError
from ringfence.core.ports.jobs import Handler, Job, JobState, Tally
from ringfence.core.ports.services import Clock
from ringfence.core.state.jobs.attempts import Attempt, Ending, MustEnd, count, handed_back
from ringfence.core.state.jobs.notes import Note, read_notes, write_note
from ringfence.core.state.store import Store

from .aside import aside

_AWAY_S = 2.0

logger = logging.getLogger(__name__)


class _WaitsAgainError(Exception):
    """The job waits again, for so many seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self.pause_s = pause_s


class _FailedError(Exception):
    """The job has failed for good."""


class AsTold(BaseRetryStrategy):
    """Lets Procrastinate retry what the attempt says, when it says."""

    def get_retry_decision(
        self,
        *,
        exception: BaseException,
        job: Carried,  # noqa: ARG002 - Procrastinate passes it
    ) -> RetryDecision | None:
        """Return when the job is tried again, None where it is not."""
        if not isinstance(exception, _WaitsAgainError):
            return None
        return RetryDecision(retry_in={"seconds": round(exception.pause_s)})


@dataclass(eq=False, slots=True)
class _Running:
    """A job that is carried out, and whether it must end."""

    job: Job
    note: Note
    must_end: MustEnd = MustEnd.NO
    settled: bool = False


@dataclass(slots=True)
class Performer:
    """Carries jobs out for one worker. ``find`` returns a job by its id; ``ending`` is set once the worker must end."""

    store: Store
    clock: Clock
    handlers: Mapping[str, Handler]
    find: Callable[[str], Job]
    tally: Tally = field(default_factory=Tally)
    ending: threading.Event = field(default_factory=threading.Event)
    running: dict[int, _Running] = field(default_factory=dict)

    async def perform(self, context: JobContext, /, **_arguments: Any) -> None:
        """Carry one job out. Procrastinate calls this, and learns by an error what becomes of one that is not done."""
        job_id = context.job.id or 0
        slot = self.running[job_id] = await aside(lambda: self._begin(job_id))
        try:
            ending = await self._wait(context, slot)
            await aside(lambda: self._settle(slot, ending.note))
        finally:
            self.running.pop(job_id, None)

        count(self.tally, slot.job, ending)
        _tell(ending)

    async def _wait(self, context: JobContext, slot: _Running) -> Ending:
        result = aside(lambda: self._attempt(slot).carry_out(self.handlers), f"ringfence-job-{slot.job.id}")
        while True:
            try:
                return await asyncio.shield(result)
            except asyncio.CancelledError:
                if context.abort_reason() is not AbortReason.SHUTDOWN:
                    slot.must_end = MustEnd.CANCELLED
                elif self.ending.is_set():
                    # The worker waits no longer; the thread is left behind, and nothing that it says counts any more.
                    return handed_back(slot.note)
                else:
                    slot.must_end = MustEnd.LOST  # a worker that begins anew has no part in what was begun before

    def _attempt(self, slot: _Running) -> Attempt:
        return Attempt(
            slot.job, slot.note, self.clock, lambda: self._why_end(slot), lambda note: self._keep(slot, note)
        )

    def _begin(self, job_id: int) -> _Running:
        """Return a job as it begins; the server is waited for."""
        while True:
            try:
                job = self.find(str(job_id))
                with self.store.transaction() as connection:
                    return _Running(job, read_notes(connection, [job_id]).get(job_id, Note()))
            except StoppedError:
                if self.ending.wait(_AWAY_S):
                    raise _WaitsAgainError(0.0) from None

    def _why_end(self, slot: _Running) -> MustEnd:
        if slot.must_end is MustEnd.NO and self.ending.is_set():
            return MustEnd.WORKER_ENDS
        return slot.must_end

    def _settle(self, slot: _Running, note: Note) -> None:
        """Put on record what is known in the end; the server is waited for, unless the worker ends."""
        slot.settled = True
        while True:
            try:
                with self.store.transaction() as connection:
                    write_note(connection, int(slot.job.id), note)
            except StoppedError:
                if self.ending.wait(_AWAY_S):
                    return
            except RingfenceError as error:
                logger.warning("What became of job %s could not be noted: %s", slot.job.id, error.message)
                return
            else:
                return

    def _keep(self, slot: _Running, note: Note) -> None:
        """Put on record how far a job is; that it cannot be done ends no job."""
        if slot.settled:
            return
        with suppress(RingfenceError), self.store.transaction() as connection:
            write_note(connection, int(slot.job.id), note)


def _tell(ending: Ending) -> None:
    match ending.state:
        case JobState.WAITING:
            raise _WaitsAgainError(ending.pause_s)
        case JobState.FAILED:
            raise _FailedError
        case JobState.CANCELLED:
            raise JobAborted
