"""Background threads: a read-ahead iterator and an ordered write worker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

HEARTBEAT_S = 20.0
"""How often a long wait calls the run's heartbeat, so that the run's lease does not expire meanwhile."""

SHUTDOWN_TIMEOUT_S = 10.0
"""How long the end of a run waits for a request under way; the next run reconciles what this one does not see."""


class Worker:
    """Runs jobs one after the other, in a background thread of its own or, where ``threaded`` is False, at once.

    The thread is a daemon, so that the end of the process does not hang on a request.
    """

    def __init__(self, *, threaded: bool) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threaded = threaded
        self._thread: threading.Thread | None = None
        self._pending: list[Future[Any]] = []

    @property
    def thread(self) -> threading.Thread | None:
        """Return the background thread, None before the first job; it may outlive :meth:`close`."""
        return self._thread

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job and return the future of its result, or of the error that it raised."""
        future: Future[T] = Future()
        if not self._threaded:
            _run_job(future, job)
            return future

        if self._thread is None:
            self._thread = threading.Thread(target=self._run_jobs, name="ringfence-writer", daemon=True)
            self._thread.start()
        self._pending = [other for other in self._pending if not other.done()]
        self._pending.append(future)
        self._jobs.put((future, job))
        return future

    def close(self, *, finish: bool = False) -> None:
        """Cancel the jobs that have not started, and wait up to ten seconds for the one that runs.

        With ``finish`` none is cancelled, and the ten seconds are for all of them.
        """
        for future in () if finish else self._pending:
            future.cancel()
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(SHUTDOWN_TIMEOUT_S)

    def _run_jobs(self) -> None:
        while (task := self._jobs.get()) is not None:
            _run_job(*task)


def _run_job(future: Future[T], job: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)


@contextmanager
def read_ahead(
    items: Iterable[T], depth: int, heartbeat: Callable[[], None], *, threaded: bool
) -> Iterator[Iterator[T]]:
    """Yield an iterator over the items; where ``threaded``, a background thread reads up to ``depth`` items ahead.

    ``heartbeat`` is called for each item, and every twenty seconds while the caller waits for the thread. An error of
    the reading is raised where the next item would have come. Leaving the block stops the reading.
    """
    if not threaded:
        yield _with_heartbeat(items, heartbeat)
        return
    prefetcher = _Prefetcher(items, depth, heartbeat)
    with closing(prefetcher):
        yield prefetcher.items()


def _with_heartbeat(items: Iterable[T], heartbeat: Callable[[], None]) -> Iterator[T]:
    for item in items:
        heartbeat()
        yield item


class _Prefetcher:
    """Reads items in a background thread and hands them to the caller's.

    ``_permits`` counts the items that may still be read; each that the caller asks for allows one more.
    """

    def __init__(self, items: Iterable[Any], depth: int, heartbeat: Callable[[], None]) -> None:
        self._source = items
        self._heartbeat = heartbeat
        self._permits = threading.Semaphore(depth)
        self._results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="ringfence-reader", daemon=True)
        self._thread.start()

    def items(self) -> Iterator[Any]:
        while True:
            self._permits.release()
            is_item, result = self._next_result()
            self._heartbeat()

            if is_item:
                yield result
            elif result is not None:
                raise result
            else:
                return

    def _next_result(self) -> tuple[bool, Any]:
        """Wait for (True, item), or for (False, error) at the end; None in place of an error where all was read."""
        while True:
            try:
                return self._results.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                self._heartbeat()

    def close(self) -> None:
        self._stopped.set()
        self._permits.release()
        self._thread.join(SHUTDOWN_TIMEOUT_S)

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            source = iter(self._source)
            while self._permits.acquire() and not self._stopped.is_set():
                try:
                    item = next(source)
                except StopIteration:
                    break
                self._results.put((True, item))
        except BaseException as failure:  # noqa: BLE001 - it is raised again where the next item is asked for
            error = failure

        self._results.put((False, error))
