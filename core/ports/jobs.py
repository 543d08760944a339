"""Durable work: what is to be done is put on record first, and done by whichever worker comes to it.

A job names what to do (``kind``) and with what (``arguments``). It holds no rule: its handler calls what the command
line calls. Two engines carry jobs out, one in the state's SQLite file and one on PostgreSQL; both fulfil this contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection

from ..errors import ErrorCode, RingfenceError

DEFAULT_QUEUE = "default"
"""The queue of work that is about no CRM account. Work on an account has the account's name as its queue."""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"  # for its turn, for a lock, or for its moment
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # for good: it is not tried again unless somebody asks
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """Work to be put on record.

    ``arguments`` are JSON values and hold no phone number and no secret. Of the jobs with the same ``lock`` one runs at
    a time, in their order; one whose moment has not come, as between two attempts, is in nobody's way. Of those with
    the same ``queueing_lock`` one waits at a time. A lower ``priority`` comes first. ``run_at`` (aware, UTC) is the
    earliest moment; None: now.
    """

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    queue: str = DEFAULT_QUEUE
    lock: str | None = None
    queueing_lock: str | None = None
    priority: int = 100
    run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job on record. Moments are aware, in UTC; ``attempts`` counts those that have begun.

    ``error`` is what the latest attempt ended with, empty where nothing went wrong; ``progress`` what the handler said
    last about how far it is, as JSON values.
    """

    id: str
    kind: str
    state: JobState
    queue: str
    arguments: Mapping[str, Any]
    attempts: int
    queued_at: datetime
    run_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    progress: Mapping[str, Any] | None = None
    lock: str | None = None


class Jobs(Protocol):
    """Puts work on record, and tells of it. Safe with threads. Raises StateError where the store does not work."""

    def enqueue(self, requests: Sequence[JobRequest], within: Connection | None = None) -> list[str | None]:
        """Put jobs on record, all or none; return their ids, None for one whose queueing lock another job holds.

        ``within`` is a connection of the store in a transaction: the jobs then stand on record together with what else
        is done in it, or not at all. Without it they do so at once.
        """
        ...

    def find(self, job_id: str) -> Job:
        """Return a job. Raises UsageError where there is none of this id."""
        ...

    def list(self, *, states: Sequence[JobState] = (), limit: int = 100) -> list[Job]:
        """Return the newest jobs first, those in these states where any are named."""
        ...

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits; ask one that runs to end. Return it as it is then."""
        ...

    def retry(self, job_id: str) -> Job:
        """Let a failed or cancelled job wait again, from now. Raises UsageError for one that is not over."""
        ...


@dataclass(frozen=True, slots=True)
class JobRun:
    """What a handler gets: its job, whether it must end, and whom to tell how far it is.

    ``must_end`` becomes true once the worker is asked to end or the job is cancelled: the handler then ends what it has
    begun and raises Terminated, and the job waits again or is cancelled.
    """

    job: Job
    must_end: Callable[[], bool]
    report: Callable[[Mapping[str, Any]], None]


Handler = Callable[[JobRun], str | None]
"""Carries out one kind of job, and returns what there is to note about one that is done, if anything.

An error that it raises says by its class, or an :class:`AttemptError` by its exit code, whether the job is tried again.
A handler may be called again for a job that a dead worker had begun.
"""


class AttemptError(RingfenceError):
    """An attempt at a job failed in a way that is known by its exit code, such as a command that was run.

    ``name`` is the class of the error behind it, where it is known; ``wait_s`` the pause in seconds that was asked for.
    """

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        exit_code: int,
        name: str = "",
        code: ErrorCode | None = None,
        wait_s: float | None = None,
    ) -> None:
        super().__init__(message, remedy, code=code)
        self.exit_code = exit_code
        self.name = name
        self.wait_s = wait_s


@dataclass(slots=True)
class Tally:
    """What a worker did: attempts at jobs by what came of them."""

    done: int = 0
    failed: int = 0
    retried: int = 0  # failed for a passing reason: they wait for their next attempt
    cancelled: int = 0
    handed_back: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


class JobEngine(Jobs, Protocol):
    """Jobs, and the loop that carries them out."""

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

        With ``until_empty`` it also returns when no job of these queues is waiting or running. A job that a worker had
        begun which has died is taken again within a minute. A job of a kind without a handler fails and says so.
        Return what was done.
        """
        ...

    def live_workers(self, queue: str) -> int:
        """Return how many other processes take jobs of this queue right now."""
        ...
