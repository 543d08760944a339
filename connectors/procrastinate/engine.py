"""Procrastinate's worker for the queues of this process, its sweep of stalled jobs, and the end of both."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from procrastinate import App, exceptions
from procrastinate.jobs import Status
from procrastinate.worker import Worker

from ringfence.core.errors import RingfenceError, StateError
from ringfence.core.ports.jobs import Handler, Tally
from ringfence.core.ports.services import Clock
from ringfence.core.state.jobs.engine import FORGET_S, GRACE_S, KEPT_DAYS
from ringfence.core.state.jobs.retries import MOST_ATTEMPTS
from ringfence.core.state.jobs.workers import RENEW_S, SILENCE, Registration, count_others, registered
from ringfence.core.state.store import Store

from .aside import aside
from .fencing import FencedManager
from .link import Link
from .performer import AsTold, Performer
from .queue import TASK, ProcrastinateQueue, carried

LOOK_S = 1.0
"""How often is looked for jobs that nobody told of, and for jobs to be cancelled, in seconds."""

TURN_S = 0.25
"""How often is asked whether the worker must end, in seconds."""

SWEEP_S = 5.0
"""How often is looked for jobs of workers that have died, in seconds."""

_AGAIN_S = 1.0

# What Procrastinate and its pool log is told by the engine in its own words; theirs would show arguments.
for _name in ("procrastinate", "psycopg.pool"):
    logging.getLogger(_name).propagate = False
    logging.getLogger(_name).addHandler(logging.NullHandler())

logger = logging.getLogger(__name__)


class ProcrastinateEngine(ProcrastinateQueue):
    """Jobs on PostgreSQL, and the loop that carries them out. Fulfils :class:`ringfence.core.ports.jobs.JobEngine`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)

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
        has to end are asked to end too, and are handed back after a while. Return what was done.
        """
        schema = self.schema
        performer = Performer(self._store, self._clock, handlers, self.find)
        link = Link(self._store.engine, schema, performer.ending.is_set)
        with registered(self._store, self._clock, queues) as registration:
            shift = _Shift(self, performer, registration, link, queues)
            # psycopg cannot use the loop that Windows has by default.
            factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
            try:
                with asyncio.Runner(loop_factory=factory) as runner:
                    runner.run(shift.work(concurrency, must_end, until_empty=until_empty))
            finally:
                performer.ending.set()
        return performer.tally


class _Shift:
    """One call of `work`."""

    def __init__(
        self,
        jobs: ProcrastinateQueue,
        performer: Performer,
        registration: Registration,
        link: Link,
        queues: Sequence[str],
    ) -> None:
        self._jobs = jobs
        self._performer = performer
        self._registration = registration
        self._link = link
        self._queues = queues
        self._app = App(connector=link)
        self._app.job_manager = FencedManager(link)
        self._app.task(name=TASK, pass_context=True, retry=AsTold())(performer.perform)
        self._worker: Worker | None = None
        self._adrift: set[int] = set()

    async def work(self, concurrency: int, must_end: Callable[[], bool], *, until_empty: bool) -> None:
        async with self._app.open_async():
            side = [
                asyncio.create_task(self._watch(must_end)),
                asyncio.create_task(self._repeat(SWEEP_S, self._sweep)),
                asyncio.create_task(self._repeat(FORGET_S, self._forget)),
            ]
            if until_empty:
                side.append(asyncio.create_task(self._repeat(TURN_S, self._end_if_empty)))
            try:
                await self._keep_working(concurrency)
            finally:
                for task in side:
                    task.cancel()
                await asyncio.gather(*side, return_exceptions=True)
        if self._registration.fault is not None:
            raise self._registration.fault

    async def _keep_working(self, concurrency: int) -> None:
        """Run Procrastinate's worker, anew where it was broken off; one that must end ends once."""
        while not self._performer.ending.is_set():
            self._worker = Worker(
                self._app,
                [carried(queue) for queue in self._queues],
                concurrency=concurrency,
                fetch_job_polling_interval=LOOK_S,
                abort_job_polling_interval=LOOK_S,
                shutdown_graceful_timeout=GRACE_S,
                install_signal_handlers=False,
                update_heartbeat_interval=RENEW_S,
                stalled_worker_timeout=SILENCE.total_seconds(),
            )
            try:
                await self._run(self._worker)
            except exceptions.ConnectorException as error:
                cause = error.__cause__
                said = " ".join(str(cause or error).split())[:200]
                if self._performer.ending.is_set():
                    return
                if not _may_pass(cause):
                    raise StateError(
                        f"The state store refuses the jobs: {said}.", "Check the rights of the role."
                    ) from error
                logger.warning("The worker begins anew: %s", said)
                await asyncio.sleep(_AGAIN_S)

    async def _run(self, worker: Worker) -> None:
        """Run a worker to its end, also where Ctrl-C breaks the waiting for it off: its jobs are asked to end first."""
        running = asyncio.ensure_future(worker.run())  # type: ignore[no-untyped-call] # Procrastinate leaves it out
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self._end()
            await running
            raise

    async def _watch(self, must_end: Callable[[], bool]) -> None:
        """Have the worker end once it must; the jobs that run are asked to end at once."""
        while True:
            if self._performer.ending.is_set() or must_end() or self._registration.fault is not None:
                self._end()  # again and again: a worker that has just begun forgets that it was told to stop
            await asyncio.sleep(TURN_S)

    def _end(self) -> None:
        self._performer.ending.set()
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call] # likewise

    async def _end_if_empty(self) -> None:
        if not self._performer.running and not await aside(lambda: self._jobs.are_open(self._queues)):
            self._end()

    async def _sweep(self) -> None:
        """Let jobs wait again whose worker has died, and those that this one was given in an answer that got lost."""
        if self._worker is None or self._worker.worker_id is None or not self._has_been_there():
            return
        manager = self._app.job_manager
        adrift = await manager.list_jobs_async(status="doing", worker_id=self._worker.worker_id)
        lost = [job for job in adrift if job.id not in self._performer.running]
        stalled = [job for job in lost if job.id in self._adrift]
        self._adrift = {job.id for job in lost if job.id}
        stalled += await manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE.total_seconds())

        cancelled = set(await manager.list_jobs_to_abort_async()) if stalled else set()
        for job in stalled:
            if job.id in cancelled:
                await manager.finish_job(job, Status.ABORTED, delete_job=False)
            elif job.attempts + 1 >= MOST_ATTEMPTS:
                await manager.finish_job(job, Status.FAILED, delete_job=False)
            else:
                await manager.retry_job(job)
                logger.warning("Job %s waits again: its worker has died.", job.id)

    def _has_been_there(self) -> bool:
        """Return whether the server has been there long enough for every living worker to have said so."""
        if self._link.away_since is not None:
            return False
        back_at = self._link.back_at
        return back_at is None or asyncio.get_running_loop().time() - back_at > SILENCE.total_seconds() + RENEW_S

    async def _forget(self) -> None:
        await aside(lambda: self._jobs.forget_old(KEPT_DAYS))

    async def _repeat(self, pause_s: float, act: Callable[[], object]) -> None:
        while True:
            with suppress(exceptions.ConnectorException, RingfenceError):  # the next time tells
                await act()  # type: ignore[misc] # a coroutine function, which mypy would have spelt out
            await asyncio.sleep(pause_s)


def _may_pass(cause: BaseException | None) -> bool:
    """Return whether a fault of the database may pass: anything but missing rights and missing tables."""
    return not str(getattr(cause, "sqlstate", None) or "").startswith(("42", "28", "3D"))
