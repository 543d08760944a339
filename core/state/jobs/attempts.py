"""One attempt at a job: its handler is called, and what follows from how that ended. For every engine."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ...errors import RingfenceError, Terminated
from ...ports.jobs import Handler, Job, JobRun, JobState, Tally
from ...ports.services import Clock
from .notes import Note
from .retries import Failure, as_failure, decide

PROGRESS_S = 1.0
"""How often at most progress is put on record, in seconds."""

logger = logging.getLogger(__name__)


class MustEnd(Enum):
    """Why a job that runs must end."""

    NO = "no"
    WORKER_ENDS = "worker ends"
    CANCELLED = "cancelled"
    LOST = "lost"  # another worker has taken it


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of a job after an attempt. One that waits again does so for ``pause_s`` seconds.

    ``counts`` is False for an attempt that was not the job's own to finish.
    """

    state: JobState
    note: Note
    pause_s: float = 0.0
    counts: bool = True


class Attempt:
    """An attempt at one job. ``keep`` puts on record what is known of it; ``why_end`` tells whether it must end."""

    def __init__(
        self,
        job: Job,
        note: Note,
        clock: Clock,
        why_end: Callable[[], MustEnd],
        keep: Callable[[Note], None],
    ) -> None:
        self._job = job
        self._note = note
        self._clock = clock
        self._why_end = why_end
        self._keep = keep
        self._progress = note.progress
        self._kept_at = -PROGRESS_S

    def carry_out(self, handlers: Mapping[str, Handler]) -> Ending:
        """Call the handler of the job's kind, and return what becomes of the job. Raises nothing."""
        handler = handlers.get(self._job.kind)
        if handler is None:
            return Ending(JobState.FAILED, self._noted(_unknown_kind(self._job.kind)))

        run = JobRun(self._job, lambda: self._why_end() is not MustEnd.NO, self._report)
        try:
            remark = handler(run)
        except Terminated as end:
            return self._broken_off(end)
        except BaseException as error:
            if not isinstance(error, RingfenceError):
                logger.info("the fault of a job in full", extra={"job_id": self._job.id}, exc_info=error)
            return self._after(as_failure(error))
        return Ending(JobState.DONE, self._noted(remark or ""))

    def _report(self, progress: Mapping[str, Any]) -> None:
        self._progress = json.loads(json.dumps(progress))
        now = self._clock.monotonic()
        if now - self._kept_at >= PROGRESS_S:
            self._kept_at = now
            self._keep(self._noted(self._note.error))

    def _broken_off(self, end: Terminated) -> Ending:
        match self._why_end():
            case MustEnd.CANCELLED:
                return Ending(JobState.CANCELLED, self._noted(""))
            case MustEnd.NO:
                return self._after(Failure(4, frozenset(), str(end) or "It was ended from outside."))
            case _:
                return handed_back(replace(self._note, progress=self._progress))

    def _after(self, failure: Failure) -> Ending:
        if self._why_end() is MustEnd.CANCELLED:
            return Ending(JobState.CANCELLED, self._noted(failure.text))
        faults = self._note.faults + (failure.exit_code == 70)
        again = decide(failure, attempts=self._job.attempts, faults=faults, jitter=random.random())  # noqa: S311 - spreads retries, guards nothing
        if again is None:
            return Ending(JobState.FAILED, self._noted(failure.text, faults))
        return Ending(JobState.WAITING, self._noted(failure.text, faults), again.pause_s)

    def _noted(self, error: str, faults: int | None = None) -> Note:
        return Note(error, self._progress, self._note.faults if faults is None else faults, self._note.handed_back)


def count(tally: Tally, job: Job, ending: Ending) -> None:
    """Count what became of an attempt, and tell it as an event."""
    match ending.state:
        case JobState.DONE:
            tally.done += 1
        case JobState.FAILED:
            tally.failed += 1
            logger.warning("Job %s (%s) failed: %s", job.id, job.kind, ending.note.error)
        case JobState.CANCELLED:
            tally.cancelled += 1
        case _ if ending.counts:
            tally.retried += 1
        case _:
            tally.handed_back += 1
    fields = {"job_id": job.id, "kind": job.kind, "state": ending.state.value, "pause_s": round(ending.pause_s)}
    logger.info("job ends", extra=fields)


def handed_back(note: Note) -> Ending:
    """Return what becomes of a job that waits again as if its attempt had not been."""
    return Ending(JobState.WAITING, replace(note, handed_back=note.handed_back + 1), counts=False)


def _unknown_kind(kind: str) -> str:
    return (
        f"This ringfence knows no jobs of the kind {kind!r}. Start workers of the version that queued it, and let it "
        "wait again; or cancel it."
    )
