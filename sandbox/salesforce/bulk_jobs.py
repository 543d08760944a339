"""The Bulk API 2.0 jobs of an org: their states over time, their limits, and how the API describes them.

States, limits and messages: docs/vendors/salesforce.md, sections 2.2 and 2.3.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

from ..clock import Clock
from .bulk_sheet import DELIMITERS, LINE_ENDINGS, Format
from .errors import ApiError, not_found
from .ids import new_ids
from .rolling import Rolling
from .wire import stamp_text

KEPT = timedelta(days=7)
QUEUED_SHARE = 0.2
"""The share of a job's time that it waits in the queue, as UploadComplete."""
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})


class JobSettings:
    """The settings of an org for its jobs; the defaults are the service's, except that jobs are done faster."""

    job_seconds: float = 0.2
    job_batch_rows: int = 10_000
    upload_mb: int = 150
    daily_query_jobs: int = 10_000
    daily_query_kb: int = 1_000_000_000
    daily_batches: int = 15_000
    second_upload: str = "close"
    """What is refused of a job whose data came twice: `close`, as a report of the service shows it, or the `upload`."""
    job_failure: JobFailure | None = None
    """How the jobs that start now will fail."""


@dataclass(frozen=True, slots=True)
class JobFailure:
    """How a job fails: after the share `done` (0 to 1) of its batches, and with `message` as its errorMessage."""

    done: float
    message: str


@dataclass(slots=True, kw_only=True)
class Job(ABC):
    """What query and ingest jobs have in common; all times are aware, `seconds` is how long the job takes."""

    kind: ClassVar[str]
    id: str
    object_name: str
    operation: str
    version: str
    owner: str
    created: datetime
    form: Format = field(default_factory=Format)
    state: str = "UploadComplete"
    modified: datetime = field(init=False)
    started: datetime | None = None
    seconds: float = 0.0
    failure: JobFailure | None = None
    error: str = ""

    def __post_init__(self) -> None:
        self.modified = self.created

    @property
    def running(self) -> bool:
        """Whether the job has been queued and has not ended yet."""
        return self.started is not None and self.state not in ENDED

    def start(self, settings: JobSettings, now: datetime) -> None:
        """Queue the job at `now`; how long it takes and whether it fails is what the settings say at this moment."""
        self.started, self.seconds, self.failure = now, settings.job_seconds, settings.job_failure
        self.move("UploadComplete", self.started)

    def move(self, state: str, now: datetime) -> None:
        """Change the state at `now`."""
        self.state, self.modified = state, now

    def fail(self, message: str, now: datetime) -> None:
        """End the job as Failed at `now`, with an errorMessage."""
        self.error = message
        self.move("Failed", now)

    def share(self, now: datetime) -> float:
        """Return the share of the job's time that has passed, 0 to 1; a clock that is set back starts it again."""
        if self.started is None:
            return 0.0
        self.started = min(self.started, now)
        elapsed = (now - self.started).total_seconds()
        return 1.0 if elapsed >= self.seconds else elapsed / self.seconds

    @abstractmethod
    def advance(self, now: datetime) -> bool:
        """Do the next step if one is due at `now`; return whether one was."""

    @abstractmethod
    def wait(self) -> float:
        """Return the share of the job's time (0 to 1) at which the next step is due."""

    @abstractmethod
    def progress(self, now: datetime) -> Mapping[str, object]:
        """Return the counts that GET of the job shows at `now`."""

    def base(self) -> dict[str, object]:
        """Return the fields that the answer to creating the job has."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": self.owner,
            "createdDate": stamp_text(self.created),
            "systemModstamp": stamp_text(self.modified),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version.removeprefix("v")),
            "lineEnding": self.form.line_ending,
            "columnDelimiter": self.form.delimiter,
        }

    def info(self, now: datetime) -> dict[str, object]:
        """Return the fields that GET of the job has at `now`."""
        spent = {"retries": 0, "totalProcessingTime": int(1000 * self.share(now) * self.seconds)}
        failure = {"errorMessage": self.error} if self.error else {}
        return {**self.base(), "jobType": self.kind, **self.progress(now), **spent, **failure}


J = TypeVar("J", bound=Job)


class Jobs:
    """The jobs of an org by id, and what they used of the daily limits."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self.ids: Iterator[str] = new_ids("750")
        self.query_jobs = Rolling()
        self.query_kb = Rolling()
        self.batches = Rolling()

    def add(self, job: Job) -> None:
        """Add a new job, and forget those that are older than seven days."""
        self._jobs = {key: each for key, each in self._jobs.items() if job.created - each.created < KEPT}
        self._jobs[job.id] = job

    def find(self, kind: type[J], job_id: str, now: datetime) -> J:
        """Return a job by its id of 15 or 18 characters; raises ApiError NOT_FOUND."""
        job = self._jobs.get(job_id) or next((job for key, job in self._jobs.items() if key[:15] == job_id), None)
        if not isinstance(job, kind) or now - job.created >= KEPT:
            raise not_found()
        return job

    def every(self, kind: type[J]) -> list[J]:
        """Return the jobs of a kind, oldest first."""
        return [job for job in self._jobs.values() if isinstance(job, kind)]

    def remove(self, job: Job) -> None:
        """Delete a job with its results; raises ApiError while it is open or in progress."""
        if job.state in ("Open", "InProgress"):
            raise bad_state(f"Deleting not Closed Jobs not allowed. Current state: {job.state}")
        del self._jobs[job.id]

    def drop_all(self) -> None:
        """Forget every job."""
        self._jobs.clear()

    def advance(self, clock: Clock, budget_s: float = 0.25) -> None:
        """Advance the running jobs; stop after `budget_s` seconds of real time and leave the rest to the next call."""
        until = time.monotonic() + budget_s
        for job in [job for job in self._jobs.values() if job.running]:
            while job.running and job.advance(clock.now()):
                if time.monotonic() > until:
                    return

    def wait(self, now: datetime) -> float | None:
        """Return the seconds until the next step is due, None when no job is running."""
        running = [job for job in self._jobs.values() if job.running]
        return min((max(0.0, (job.wait() - job.share(now)) * job.seconds) for job in running), default=None)


def read_format(body: Mapping[str, object]) -> Format:
    """Return the CSV form that a request for a job asks for; raises ApiError for what the API does not have."""
    form = Format(str(body.get("lineEnding") or "LF"), str(body.get("columnDelimiter") or "COMMA"))
    if form.line_ending not in LINE_ENDINGS:
        raise bad_job(f"lineEnding must be one of {', '.join(LINE_ENDINGS)}: {form.line_ending}")
    if form.delimiter not in DELIMITERS:
        raise bad_job(f"columnDelimiter must be one of {', '.join(DELIMITERS)}: {form.delimiter}")
    if str(body.get("contentType") or "CSV") != "CSV":
        raise bad_job(f"contentType must be CSV: {body.get('contentType')}")
    return form


def bad_job(message: str) -> ApiError:
    """Return the refusal of a job that the API does not support."""
    return ApiError(400, "INVALIDJOB", message)


def bad_state(message: str) -> ApiError:
    """Return the refusal of a request that the state of the job does not allow."""
    return ApiError(400, "INVALIDJOBSTATE", message)


def abort(job: Job, now: datetime) -> None:
    """End a job early; what it has written stays written. Raises ApiError when it has ended before."""
    if job.state in ENDED:
        word = "Completed" if job.state == "JobComplete" else job.state
        raise bad_state(f"Aborting already {word} Job not allowed")
    job.move("Aborted", now)
