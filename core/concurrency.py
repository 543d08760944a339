"""Work that goes on beside the caller: one thread for writes in their order, one that reads ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

HEARTBEAT_S = 20.0
"""How often whoever waits long says that the run is alive, so that its lease does not run out."""

PATIENCE_S = 10.0
"""How long the end of a run waits for a request that is still under way; what it misses the next run finds out."""


class Worker:
    """Carries out jobs one after the other in a thread of its own, or at once where ``threaded`` is False.

    The thread is a daemon: a process that is told to end does not hang on a request.
    """

    def __init__(self, *, threaded: bool) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threaded = threaded
        self._thread: threading.Thread | None = None
        self._waiting: list[Future[Any]] = []

    @property
    def thread(self) -> threading.Thread | None:
        """Return the thread that works on jobs, once there is one; it may outlive :meth:`close`."""
        return self._thread

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job and return where its result will be."""
        future: Future[T] = Future()
        if not self._threaded:
            _carry_out(future, job)
            return future
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ringfence-writer", daemon=True)
            self._thread.start()
        self._waiting = [other for other in self._waiting if not other.done()]
        self._waiting.append(future)
        self._jobs.put((future, job))
        return future

    def close(self) -> None:
        """Give up what has not begun and wait, not for ever, for what has."""
        for future in self._waiting:
            future.cancel()
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while (task := self._jobs.get()) is not None:
            _carry_out(*task)


def _carry_out(future: Future[T], job: Callable[[], T]) -> None:
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
    """Give an iterator over the items, read by a thread of their own and up to ``depth`` ahead where ``threaded``.

    ``heartbeat`` is called for each item, and now and then while the caller waits for the thread. An error of the
    reading is raised where the next item would have come. Leaving the block stops the reading.
    """
    if not threaded:
        yield _with_heartbeat(items, heartbeat)
        return
    ahead = _Ahead(items, depth, heartbeat)
    with closing(ahead):
        yield ahead.items()


def _with_heartbeat(items: Iterable[T], heartbeat: Callable[[], None]) -> Iterator[T]:
    for item in items:
        heartbeat()
        yield item


class _Ahead:
    def __init__(self, items: Iterable[Any], depth: int, heartbeat: Callable[[], None]) -> None:
        self._source = items
        self._heartbeat = heartbeat
        self._room = threading.Semaphore(depth)
        self._found: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="ringfence-reader", daemon=True)
        self._thread.start()

    def items(self) -> Iterator[Any]:
        while True:
            self._room.release()
            there, found = self._wait()
            self._heartbeat()
            if there:
                yield found
            elif found is not None:
                raise found
            else:
                return

    def _wait(self) -> tuple[bool, Any]:
        while True:
            try:
                return self._found.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                self._heartbeat()

    def close(self) -> None:
        self._stopped.set()
        self._room.release()
        self._thread.join(PATIENCE_S)

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            source = iter(self._source)
            while self._room.acquire() and not self._stopped.is_set():
                try:
                    item = next(source)
                except StopIteration:
                    break
                self._found.put((True, item))
        except BaseException as failure:  # noqa: BLE001 - it is raised again where the next item is asked for
            error = failure
        self._found.put((False, error))
