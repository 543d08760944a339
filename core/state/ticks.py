"""Which ticks of a schedule were taken, by whichever scheduler came first, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select, update

from ..ports.jobs import JobRequest, Jobs
from . import schema
from .sql import insert_missing
from .store import Store

_TABLE = schema.ticks


class TickOutcome(StrEnum):
    """What became of a tick."""

    KNOWN = "known"  # no tick: since this moment the job is known under its present rule
    STARTED = "started"  # its job was put on record
    OVERLAPPED = "overlapped"  # left out, because the previous one was still at it, or one waits already
    MISSED = "missed"  # left out, because no scheduler ran at the time


@dataclass(frozen=True, slots=True)
class LatestTick:
    """The latest tick of a name: when it was due (UTC), and by which rule."""

    due_at: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class TakenTick:
    """A tick to be taken: whose, when it is due and by which rule, and when its job has to end (aware, UTC)."""

    name: str
    due_at: datetime
    rule: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TickJob:
    """A job that a tick has started, whose time is over."""

    name: str
    due_at: datetime
    job_id: str


class Ticks:
    """The ticks on record. Each is taken once, however many schedulers work on the store.

    Everything raises StateError or StoppedError where the store does not work.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def latest(self) -> Mapping[str, LatestTick]:
        """Return name -> the latest tick on record."""
        newest = select(_TABLE.c.name, func.max(_TABLE.c.due_at).label("due_at")).group_by(_TABLE.c.name).subquery()
        query = select(_TABLE.c.name, _TABLE.c.due_at, _TABLE.c.rule).join(
            newest, (_TABLE.c.name == newest.c.name) & (_TABLE.c.due_at == newest.c.due_at)
        )
        with self._store.transaction() as connection:
            return {row.name: LatestTick(row.due_at, row.rule) for row in connection.execute(query)}

    def leave_out(self, tick: TakenTick, outcome: TickOutcome) -> bool:
        """Put a tick on record for which no job is; return whether it was ours to take."""
        with self._store.transaction() as connection:
            return bool(insert_missing(connection, _TABLE, [_row(tick, outcome)]))

    def start(self, tick: TakenTick, request: JobRequest, jobs: Jobs) -> TickOutcome | None:
        """Take a tick and put its job on record, both or none; return what became of it.

        None: it was taken already, or a later one was.
        """
        with self._store.transaction() as connection:
            # The insert comes first: it is what makes others wait.
            if not insert_missing(connection, _TABLE, [_row(tick, TickOutcome.MISSED)]):
                return None
            later = select(_TABLE.c.due_at).where(
                _TABLE.c.name == tick.name,
                _TABLE.c.due_at > tick.due_at,
                _TABLE.c.outcome != TickOutcome.KNOWN.value,
            )
            if connection.scalar(later.limit(1)) is not None:
                return None

            (job_id,) = jobs.enqueue([request], within=connection)
            outcome = TickOutcome.OVERLAPPED if job_id is None else TickOutcome.STARTED
            connection.execute(
                update(_TABLE)
                .where(_TABLE.c.name == tick.name, _TABLE.c.due_at == tick.due_at)
                .values(outcome=outcome.value, job_id=job_id, ends_at=tick.ends_at if job_id else None)
            )
        return outcome

    def latest_job(self, name: str) -> str | None:
        """Return the id of the latest job that a tick of the name has started, None where there is none."""
        query = select(_TABLE.c.job_id).where(_TABLE.c.name == name, _TABLE.c.job_id.is_not(None))
        with self._store.transaction() as connection:
            return connection.scalar(query.order_by(_TABLE.c.due_at.desc()).limit(1))

    def over_time(self, now: datetime) -> list[TickJob]:
        """Return the jobs whose window has closed and which were not asked to end yet."""
        query = select(_TABLE.c.name, _TABLE.c.due_at, _TABLE.c.job_id).where(
            _TABLE.c.ends_at <= now, _TABLE.c.job_id.is_not(None)
        )
        with self._store.transaction() as connection:
            return [TickJob(row.name, row.due_at, row.job_id) for row in connection.execute(query)]

    def asked_to_end(self, job: TickJob) -> None:
        """Put on record that a job needs not be asked again."""
        with self._store.transaction() as connection:
            connection.execute(
                update(_TABLE).where(_TABLE.c.name == job.name, _TABLE.c.due_at == job.due_at).values(ends_at=None)
            )

    def forget(self, before: datetime) -> int:
        """Forget the ticks that were due before the moment, but for the latest of each name; return how many."""
        other = _TABLE.alias()
        is_newer = select(other.c.due_at).where(other.c.name == _TABLE.c.name, other.c.due_at > _TABLE.c.due_at)
        with self._store.transaction() as connection:
            done = connection.execute(delete(_TABLE).where(_TABLE.c.due_at < before, is_newer.exists()))
            return done.rowcount


def _row(tick: TakenTick, outcome: TickOutcome) -> dict[str, Any]:
    return {
        "name": tick.name,
        "due_at": tick.due_at,
        "outcome": outcome.value,
        "rule": tick.rule,
        "job_id": None,
        "ends_at": None,
    }
