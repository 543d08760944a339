"""Ending jobs only where they are still the worker's: one that was long away may have lost them to another.

Those that wait for their next attempt do so without their lock.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable

from procrastinate import exceptions
from procrastinate.jobs import Job, Status
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager

from .locks import GIVE_BACK, set_aside

_MINE = (
    " FROM (SELECT id FROM procrastinate_jobs WHERE id = %(job_id)s AND status = 'doing'"
    " AND worker_id IS NOT DISTINCT FROM %(worker_id)s FOR UPDATE) AS mine"
)
_FINISH = f"SELECT procrastinate_finish_job_v1(mine.id, %(status)s::procrastinate_job_status, %(delete_job)s){_MINE}"
_RETRY = (
    "SELECT procrastinate_retry_job_v2(mine.id, %(retry_at)s::timestamptz, %(priority)s::integer, %(queue)s::varchar,"
    f" %(lock)s::varchar){_MINE}"
)

logger = logging.getLogger(__name__)


class FencedManager(JobManager):
    """Procrastinate's jobs, of which a worker ends only those that it holds."""

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job, if there is one."""
        await self.connector.execute_query_async(GIVE_BACK)
        return await super().fetch_job(queues, worker_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Put on record that a job is over, where it is still its worker's."""
        done = await self.connector.execute_query_all_async(
            _FINISH, job_id=job.id, worker_id=job.worker_id, status=status.value, delete_job=delete_job
        )
        _tell_lost(job, lost=not done)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Let a job wait again, where it is still its worker's; where another one waits for the same, it is over."""
        now = datetime.datetime.now(datetime.UTC)
        try:
            done = await self.connector.execute_query_all_async(
                _RETRY,
                job_id=job.id,
                worker_id=job.worker_id,
                retry_at=retry_at,
                priority=priority,
                queue=queue,
                lock=lock or set_aside(job.lock, job.id, retry_at, now),
            )
        except exceptions.ConnectorException as error:
            diag = getattr(error.__cause__, "diag", None)
            if getattr(diag, "constraint_name", None) != QUEUEING_LOCK_CONSTRAINT:
                raise
            await self.finish_job(job, Status.ABORTED, delete_job=False)
            return
        _tell_lost(job, lost=not done)


def _tell_lost(job: Job, *, lost: bool) -> None:
    if lost:
        logger.warning("Job %s was taken over by another worker.", job.id)
