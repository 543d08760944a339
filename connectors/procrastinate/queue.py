"""Jobs in Procrastinate's tables: putting them on record, finding, cancelling and retrying them.

All of it goes by the state store's own connections, and calls the functions that Procrastinate's client calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import Job, JobRequest, JobState
from ringfence.core.ports.services import Clock
from ringfence.core.state.jobs.notes import Note, forget_notes, read_notes, write_note
from ringfence.core.state.jobs.queue import is_id, no_such_job, refuse_retry
from ringfence.core.state.store import Store, refuse_moved

from .locks import RESTORED, proper_name, set_aside
from .tables import bring_up_to_date

TASK = "ringfence"
"""The one task that Procrastinate knows; which kind of job it is stands in the arguments."""

_NAME_BYTES = 40
"""Bytes of a queue's name that PostgreSQL leaves it in the channel by which workers are told of new jobs."""

_STATES = {
    "todo": JobState.WAITING,
    "doing": JobState.RUNNING,
    "aborting": JobState.RUNNING,
    "succeeded": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "aborted": JobState.CANCELLED,
}

_DEFER = text(
    "SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, :priority, :lock, :queueing_lock,"
    " CAST(:args AS jsonb), CAST(:run_at AS timestamptz))]::procrastinate_job_to_defer_v1[]))"
)
_FIND = (
    "SELECT job.id, queue_name, priority, lock, args, status::text AS status, scheduled_at, attempts,"
    " min(at) FILTER (WHERE type = 'deferred') AS queued_at,"
    " max(at) FILTER (WHERE type = 'started') AS started_at,"
    " max(at) FILTER (WHERE type IN ('succeeded', 'failed', 'cancelled', 'aborted')) AS ended_at"
    " FROM procrastinate_jobs AS job LEFT JOIN procrastinate_events AS event ON event.job_id = job.id"
)
_ONE = text(f"{_FIND} WHERE job.id = :id GROUP BY job.id")
_NEWEST = text(
    f"{_FIND} WHERE job.id IN (SELECT id FROM procrastinate_jobs WHERE CAST(:statuses AS text[]) IS NULL"  # noqa: S608 - no data in it
    " OR status::text = ANY(:statuses) ORDER BY id DESC LIMIT :limit) GROUP BY job.id ORDER BY job.id DESC"
)
_CANCEL = text("SELECT procrastinate_cancel_job_v1(:id, true, false)")
_RETRY = text(
    "UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL, abort_requested = false, worker_id = NULL,"  # noqa: S608 - no data in it
    f" lock = {RESTORED} WHERE id = :id AND status IN ('failed', 'cancelled', 'aborted')"
)
_OPEN = text(
    "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND queue_name = ANY(:queues))"
)
_OVER = text(
    "SELECT job.id FROM procrastinate_jobs AS job JOIN procrastinate_events AS event ON event.job_id = job.id"
    " WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted') GROUP BY job.id"
    " HAVING max(event.at) < now() - make_interval(days => :days) LIMIT 1000"
)
_DELETE = text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids)")


class ProcrastinateQueue:
    """The jobs of a store on PostgreSQL. Fulfils :class:`ringfence.core.ports.jobs.Jobs`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._schema = ""

    @property
    def schema(self) -> str:
        """Return the name of the schema of the tables, which are brought up to date first. Raises StateError."""
        if not self._schema:
            self._schema = bring_up_to_date(self._store)
        return self._schema

    def enqueue(self, requests: Sequence[JobRequest], within: Connection | None = None) -> list[str | None]:
        """Put jobs on record, all or none; return their ids, None for one whose queueing lock another job holds.

        With ``within`` they stand on record together with what else is done in that transaction, or not at all.
        """
        schema = self.schema
        with self._store.transaction() if within is None else nullcontext(within) as connection:
            refuse_moved(connection)
            with entered(connection, schema):
                return [_defer(connection, request, self._clock.now()) for request in requests]

    def find(self, job_id: str) -> Job:
        """Return a job. Raises UsageError where there is none of this id."""
        with self._entered() as connection:
            return _find(connection, job_id)

    def list(self, *, states: Sequence[JobState] = (), limit: int = 100) -> list[Job]:
        """Return the newest jobs first, those in these states where any are named."""
        statuses = [status for status, state in _STATES.items() if state in states] or None
        with self._entered() as connection:
            rows = connection.execute(_NEWEST, {"statuses": statuses, "limit": limit}).all()
            notes = read_notes(connection, [row.id for row in rows])
        return [_as_job(row, notes.get(row.id, Note())) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits; ask one that runs to end. Return it as it is then."""
        with self._entered() as connection:
            job = _find(connection, job_id)
            connection.execute(_CANCEL, {"id": int(job.id)})
            return _find(connection, job_id)

    def retry(self, job_id: str) -> Job:
        """Let a failed or cancelled job wait again, from now. Raises UsageError for one that is not over."""
        with self._entered() as connection:
            job = _find(connection, job_id)
            refuse_retry(job)
            try:
                with connection.begin_nested():
                    connection.execute(_RETRY, {"id": int(job.id)})
            except IntegrityError as error:
                raise UsageError("Another job of the same work waits already.", "Let that one be done.") from error
            began = job.attempts + read_notes(connection, [int(job.id)]).get(int(job.id), Note()).handed_back
            write_note(connection, int(job.id), Note(handed_back=began))
            return _find(connection, job_id)

    def are_open(self, queues: Sequence[str]) -> bool:
        """Return whether any job of these queues waits or runs."""
        with self._entered() as connection:
            return bool(connection.scalar(_OPEN, {"queues": [carried(queue) for queue in queues]}))

    def forget_old(self, days: int) -> None:
        """Forget jobs that have been over for so many days, some at a time."""
        with self._entered() as connection:
            ids = list(connection.scalars(_OVER, {"days": days}))
            connection.execute(_DELETE, {"ids": ids})
            forget_notes(connection, ids)

    @contextmanager
    def _entered(self) -> Iterator[Connection]:
        schema = self.schema
        with self._store.transaction() as connection, entered(connection, schema):
            yield connection


@contextmanager
def entered(connection: Connection, schema: str) -> Iterator[None]:
    """Let the connection find the tables in the schema, and those it finds anyway, for the block.

    Set for the transaction, not for the session: so it holds behind a connection pooler too.
    """
    before = connection.exec_driver_sql("SELECT current_setting('search_path')").scalar_one()
    connection.exec_driver_sql(f'SET LOCAL search_path TO {before}, "{schema}"')
    yield
    connection.exec_driver_sql(f"SET LOCAL search_path TO {before}")


def carried(queue: str) -> str:
    """Return the name under which Procrastinate carries a queue, shortened where PostgreSQL takes none so long."""
    encoded = queue.encode()
    if len(encoded) <= _NAME_BYTES:
        return queue
    head = encoded[: _NAME_BYTES - 9].decode(errors="ignore")
    return f"{head}~{hashlib.sha256(encoded).hexdigest()[:8]}"


def _defer(connection: Connection, request: JobRequest, now: datetime) -> str | None:
    values = {
        "queue": carried(request.queue),
        "task": TASK,
        "priority": -request.priority,  # there the higher one comes first
        "lock": set_aside(request.lock, uuid4().hex, request.run_at, now),
        "queueing_lock": request.queueing_lock,
        "args": json.dumps({"kind": request.kind, "queue": request.queue, "arguments": dict(request.arguments)}),
        "run_at": request.run_at,
    }
    try:
        with connection.begin_nested():
            return str(connection.execute(_DEFER, values).scalar_one())
    except IntegrityError:
        return None  # the one rule of the table that a new job can break is that of the queueing lock


def _find(connection: Connection, job_id: str) -> Job:
    row = connection.execute(_ONE, {"id": int(job_id)}).one_or_none() if is_id(job_id) else None
    if row is None:
        raise no_such_job(job_id)
    return _as_job(row, read_notes(connection, [row.id]).get(row.id, Note()))


def _as_job(row: Row[Any], note: Note) -> Job:
    state = _STATES[row.status]
    # Procrastinate counts an attempt when it ends.
    attempts = row.attempts + (state is JobState.RUNNING) - note.handed_back
    is_over = state not in (JobState.WAITING, JobState.RUNNING)
    return Job(
        id=str(row.id),
        kind=row.args["kind"],
        state=state,
        queue=row.args["queue"],
        arguments=row.args["arguments"],
        attempts=max(0, attempts),
        queued_at=row.queued_at,
        run_at=row.scheduled_at,
        started_at=row.started_at,
        ended_at=row.ended_at if is_over else None,
        error=note.error,
        progress=note.progress,
        lock=proper_name(row.lock),
    )
