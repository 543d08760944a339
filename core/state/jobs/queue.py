"""Jobs in the state's file: putting them on record, finding, cancelling and retrying them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from ...errors import ErrorCode, UsageError
from ...ports.jobs import Job, JobRequest, JobState
from ...ports.services import Clock
from .. import schema
from ..store import Store, refuse_moved
from .notes import Note, read_notes, write_note

OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
"""Where a job stands to which nothing happens any more by itself."""


class JobQueue:
    """The jobs in an SQLite store. Fulfils :class:`ringfence.core.ports.jobs.Jobs`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def enqueue(self, requests: Sequence[JobRequest], within: Connection | None = None) -> list[str | None]:
        """Put jobs on record, all or none; return their ids, None for one whose queueing lock another job holds.

        With ``within`` they stand on record together with what else is done in that transaction, or not at all.
        """
        with changing(self._store) if within is None else nullcontext(within) as connection:
            refuse_moved(connection)
            now = self._clock.now()
            return [self._enqueue(connection, request, now) for request in requests]

    def _enqueue(self, connection: Connection, request: JobRequest, now: datetime) -> str | None:
        table = schema.jobs
        if request.queueing_lock is not None and connection.scalar(
            select(table.c.id).where(
                table.c.queueing_lock == request.queueing_lock, table.c.state == JobState.WAITING.value
            )
        ):
            return None

        values = {
            "kind": request.kind,
            "arguments": json.dumps(dict(request.arguments)),
            "queue": request.queue,
            "lock": request.lock,
            "queueing_lock": request.queueing_lock,
            "priority": request.priority,
            "state": JobState.WAITING.value,
            "attempts": 0,
            "queued_at": now,
            "run_at": request.run_at,
        }
        return str(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())

    def find(self, job_id: str) -> Job:
        """Return a job. Raises UsageError where there is none of this id."""
        with self._store.transaction() as connection:
            return self._find(connection, job_id)

    def _find(self, connection: Connection, job_id: str) -> Job:
        table = schema.jobs
        row = None
        if is_id(job_id):
            row = connection.execute(select(table).where(table.c.id == int(job_id))).one_or_none()
        if row is None:
            raise no_such_job(job_id)
        return as_job(row, read_notes(connection, [row.id]).get(row.id, Note()))

    def list(self, *, states: Sequence[JobState] = (), limit: int = 100) -> list[Job]:
        """Return the newest jobs first, those in these states where any are named."""
        table = schema.jobs
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if states:
            query = query.where(table.c.state.in_([state.value for state in states]))
        with self._store.transaction() as connection:
            rows = connection.execute(query).all()
            notes = read_notes(connection, [row.id for row in rows])
        return [as_job(row, notes.get(row.id, Note())) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits; ask one that runs to end. Return it as it is then."""
        table = schema.jobs
        with changing(self._store) as connection:
            job = self._find(connection, job_id)
            this = update(table).where(table.c.id == int(job_id))
            if job.state is JobState.WAITING:
                connection.execute(this.values(state=JobState.CANCELLED.value, ended_at=self._clock.now()))
            elif job.state is JobState.RUNNING:
                connection.execute(this.values(cancel_asked=True))
            return self._find(connection, job_id)

    def retry(self, job_id: str) -> Job:
        """Let a failed or cancelled job wait again, from now. Raises UsageError for one that is not over."""
        table = schema.jobs
        with changing(self._store) as connection:
            job = self._find(connection, job_id)
            refuse_retry(job)
            again = {"state": JobState.WAITING.value, "attempts": 0, "run_at": None, "ended_at": None}
            connection.execute(
                update(table).where(table.c.id == int(job_id)).values(**again, started_at=None, cancel_asked=False)
            )
            write_note(connection, int(job_id), Note())
            return self._find(connection, job_id)


@contextmanager
def changing(store: Store) -> Iterator[Connection]:
    """Yield a connection whose work nobody else's comes between: what it reads is still so when it writes."""
    with store.transaction() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def is_id(text: str) -> bool:
    """Return whether a text could be the id of a job."""
    return text.isascii() and text.isdigit() and len(text) < 19  # more does not fit into a database's integer


def no_such_job(job_id: str) -> UsageError:
    """Return the error for an id that no job has."""
    return UsageError(f"There is no job {job_id!r}.", code=ErrorCode.JOB_NOT_FOUND)


def refuse_retry(job: Job) -> None:
    """Raise UsageError for a job that cannot be tried again by hand."""
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise UsageError(f"Job {job.id} is {job.state}.", "Only a job that failed or was cancelled is tried again.")


def as_job(row: Row[tuple[object, ...]], note: Note) -> Job:
    """Return a row of the table, with what is known beyond it, as a job."""
    return Job(
        id=str(row.id),
        kind=row.kind,
        state=JobState(row.state),
        queue=row.queue,
        arguments=json.loads(row.arguments),
        attempts=row.attempts,
        queued_at=row.queued_at,
        run_at=row.run_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        error=note.error,
        progress=note.progress,
        lock=row.lock,
    )
