"""Who carries a job out in the state's file: taking it, giving it back, and taking it from a dead worker."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, or_, select, update

from ...ports.jobs import Job, JobState
from ...ports.services import Clock
from .. import schema
from ..sql import BATCH
from ..store import Store
from .attempts import Ending, MustEnd
from .notes import Note, forget_notes, read_notes, write_note
from .queue import OVER, as_job, changing
from .retries import MOST_ATTEMPTS
from .workers import alive

logger = logging.getLogger(__name__)


class Claims:
    """What the workers of one process take of the jobs in an SQLite store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def take(self, worker_id: str, queues: Sequence[str]) -> tuple[Job, Note] | None:
        """Take the next job of these queues for the worker; None where none is to be done now."""
        table = schema.jobs
        query = self._next(queues)
        with self._store.transaction() as connection:
            if connection.scalar(query) is None:
                return None  # found by reading alone, because a file has one writer at a time

        with changing(self._store) as connection:
            job_id: Any = connection.scalar(query)
            if job_id is None:
                return None
            row = connection.execute(
                update(table)
                .where(table.c.id == job_id)
                .values(
                    state=JobState.RUNNING.value,
                    worker_id=worker_id,
                    attempts=table.c.attempts + 1,
                    started_at=self._clock.now(),
                )
                .returning(*table.columns)
            ).one()
            note = read_notes(connection, [job_id]).get(job_id, Note())
        return as_job(row, note), note

    def _next(self, queues: Sequence[str]) -> Select[tuple[int]]:
        table, other = schema.jobs, schema.jobs.alias("other")
        now = self._clock.now()
        is_earlier = or_(
            other.c.priority < table.c.priority, and_(other.c.priority == table.c.priority, other.c.id < table.c.id)
        )
        is_locked = exists().where(
            other.c.lock == table.c.lock,
            or_(
                other.c.state == JobState.RUNNING.value,
                # One whose moment has not come, as between two attempts, is in nobody's way.
                and_(
                    other.c.state == JobState.WAITING.value,
                    or_(other.c.run_at.is_(None), other.c.run_at <= now),
                    is_earlier,
                ),
            ),
        )
        return (
            select(table.c.id)
            .where(
                table.c.state == JobState.WAITING.value,
                table.c.queue.in_(queues),
                or_(table.c.run_at.is_(None), table.c.run_at <= now),
                or_(table.c.lock.is_(None), ~is_locked),
            )
            .order_by(table.c.priority, table.c.id)
            .limit(1)
        )

    def end(self, worker_id: str, job: Job, ending: Ending) -> bool:
        """Put on record what becomes of a job; return False where it is the worker's no more."""
        table = schema.jobs
        now = self._clock.now()
        waits = ending.state is JobState.WAITING
        values = {
            "state": ending.state.value,
            "worker_id": None,
            "cancel_asked": False,
            "attempts": job.attempts if ending.counts else job.attempts - 1,
            "run_at": now + timedelta(seconds=ending.pause_s) if ending.pause_s else job.run_at,
            "ended_at": None if waits else now,
        }
        with changing(self._store) as connection:
            mine = (table.c.id == int(job.id), table.c.worker_id == worker_id)
            if waits and _is_over_instead(connection, *mine):
                values |= {"state": JobState.CANCELLED.value, "ended_at": now}
            if not connection.execute(update(table).where(*mine).values(**values)).rowcount:
                return False
            write_note(connection, int(job.id), ending.note)
        return True

    def must_end(self, worker_id: str, job_ids: Iterable[str]) -> dict[str, MustEnd]:
        """Return which of the jobs that the worker carries out have to end, and why."""
        table = schema.jobs
        wanted = {int(job_id) for job_id in job_ids}
        with self._store.transaction() as connection:
            query = select(table.c.id, table.c.cancel_asked).where(table.c.worker_id == worker_id)
            found = {row.id: row.cancel_asked for row in connection.execute(query)}
        lost = {str(job_id): MustEnd.LOST for job_id in wanted - set(found)}
        return lost | {str(job_id): MustEnd.CANCELLED for job_id in wanted if found.get(job_id)}

    def free_of_the_dead(self) -> None:
        """Let the jobs of workers that have died wait again; their attempt counts."""
        with self._store.transaction() as connection:
            if not self._orphans(connection):
                return
        with changing(self._store) as connection:
            for job_id, attempts in self._orphans(connection):
                this = schema.jobs.c.id == job_id
                state = JobState.WAITING if attempts < MOST_ATTEMPTS else JobState.FAILED
                if _is_over_instead(connection, this):
                    state = JobState.CANCELLED
                ended_at = None if state is JobState.WAITING else self._clock.now()
                values = {"state": state.value, "worker_id": None, "cancel_asked": False, "ended_at": ended_at}
                connection.execute(update(schema.jobs).where(this).values(**values))
                logger.warning("Job %d is %s: its worker has died.", job_id, state.value)

    def _orphans(self, connection: Connection) -> list[tuple[int, int]]:
        table = schema.jobs
        running = connection.execute(
            select(table.c.id, table.c.worker_id, table.c.attempts).where(table.c.state == JobState.RUNNING.value)
        ).all()
        if not running:
            return []
        living = {row.id for row in alive(connection, self._clock.now())}
        return [(row.id, row.attempts) for row in running if row.worker_id not in living]

    def forget_old(self, days: int) -> None:
        """Forget jobs that have been over for so many days, some at a time."""
        table = schema.jobs
        over = (
            table.c.state.in_([state.value for state in OVER]),
            table.c.ended_at < self._clock.now() - timedelta(days),
        )
        with changing(self._store) as connection:
            ids = list(connection.scalars(select(table.c.id).where(*over).limit(BATCH)))
            connection.execute(delete(table).where(table.c.id.in_(ids)))
            forget_notes(connection, ids)

    def are_open(self, queues: Sequence[str]) -> bool:
        """Return whether any job of these queues waits or runs."""
        table = schema.jobs
        states = (JobState.WAITING.value, JobState.RUNNING.value)
        query = select(func.count()).where(table.c.queue.in_(queues), table.c.state.in_(states))
        with self._store.transaction() as connection:
            return bool(connection.scalar(query))


def _is_over_instead(connection: Connection, *this: ColumnElement[bool]) -> bool:
    """Return whether a job that would wait again is over: it was cancelled, or another one waits for the same work."""
    table, other = schema.jobs, schema.jobs.alias("other")
    stands_for_it = exists().where(
        other.c.queueing_lock == table.c.queueing_lock, other.c.state == JobState.WAITING.value
    )
    return connection.scalar(select(table.c.id).where(*this, or_(table.c.cancel_asked, stands_for_it))) is not None
