"""Background threads: order, errors, and shutdowns that do not hang."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ringfence.core import concurrency
from ringfence.core.concurrency import Worker, read_ahead


def test_jobs_run_in_order_and_errors_come_out_where_the_result_is_asked_for() -> None:
    worker, done = Worker(threaded=True), []
    futures = [worker.submit(lambda n=n: done.append(n)) for n in range(20)]
    bad = worker.submit(lambda: 1 // 0)

    for future in futures:
        future.result(5)

    assert done == list(range(20))

    with pytest.raises(ZeroDivisionError):
        bad.result(5)

    worker.close()


def test_closing_cancels_the_queued_jobs_and_waits_for_the_running_one() -> None:
    worker, begun, go_on = Worker(threaded=True), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go_on.wait(5)
        return "done"

    running, queued = worker.submit(slow), worker.submit(lambda: "never")
    begun.wait(5)
    threading.Timer(0.05, go_on.set).start()
    worker.close()

    assert running.result(0) == "done"
    assert queued.cancelled()


def test_without_threads_a_job_runs_at_once() -> None:
    here = threading.get_ident()

    assert Worker(threaded=False).submit(threading.get_ident).result(0) == here


def quiet() -> None:
    """Ignore the heartbeat."""


@pytest.mark.parametrize(("depth", "threaded"), [(0, False), (0, True), (1, True), (3, True)])
def test_items_read_ahead_are_the_same_with_a_heartbeat_for_each(depth: int, threaded: bool) -> None:
    heartbeats: list[int] = []

    with read_ahead(iter(range(50)), depth, lambda: heartbeats.append(1), threaded=threaded) as numbers:
        assert list(numbers) == list(range(50))

    assert len(heartbeats) >= 50


def test_a_long_wait_for_an_item_calls_the_heartbeat_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "HEARTBEAT_S", 0.01)
    heartbeats, enough = iter(range(4)), threading.Event()

    def source() -> Iterator[str]:
        assert enough.wait(5)
        yield "at last"

    with read_ahead(source(), 2, lambda: next(heartbeats, None) == 3 and enough.set(), threaded=True) as items:
        assert next(items) == "at last"


def test_with_depth_zero_no_item_is_read_before_it_is_asked_for() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for n in range(9):
            read.append(n)
            yield n

    with read_ahead(source(), 0, quiet, threaded=True) as numbers:
        assert [next(numbers) for _ in range(2)] == read == [0, 1]


def test_no_more_than_the_depth_is_read_ahead_and_leaving_the_block_ends_the_reading() -> None:
    read: list[int] = []
    third = threading.Event()

    def source() -> Iterator[int]:
        for n in range(100):
            read.append(n)
            if n == 2:
                third.set()
            yield n

    with read_ahead(source(), 2, quiet, threaded=True) as numbers:
        assert next(numbers) == 0
        assert third.wait(5)

    assert read[-1] <= 3
    assert not any(thread.name == "ringfence-reader" for thread in threading.enumerate())


def test_an_error_of_the_source_is_raised_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    got = []
    with read_ahead(source(), 2, quiet, threaded=True) as numbers, pytest.raises(ValueError, match="broken"):
        got.extend(numbers)

    assert got == [] or got == [1]
