"""Workers as processes of their own: one that is killed loses nothing, one that is asked to end does so in time."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.core.clock import SystemClock
from ringfence.core.ports.jobs import JobEngine, JobRequest, JobState
from ringfence.core.state.store import open_store
from testkit.jobs import open_engine, wait_until
from testkit.postgres import key_of
from testkit.worker_processes import children_of, worker_process

ENDLESS = JobRequest("command", {"argv": ["sandbox", "--contacts", "1", "--ports", "0,0,0"]})
"""A command that goes on until somebody ends it."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


@pytest.fixture
def engine(state_url: str) -> Iterator[JobEngine]:
    with closing(open_store(state_url, key_of(state_url))) as store:
        yield open_engine(store, SystemClock())


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_killed_worker_takes_its_command_along_and_another_takes_the_job(
    engine: JobEngine, state_url: str, tmp_path: Path
) -> None:
    (job_id,) = engine.enqueue([ENDLESS])
    assert job_id is not None

    with worker_process(state_url, tmp_path) as first:
        wait_until(lambda: bool(children_of(first)))
        (command,) = children_of(first)
        with worker_process(state_url, tmp_path) as second:
            wait_until(lambda: engine.live_workers("default") == 2)
            first.kill()
            killed_at = time.monotonic()
            wait_until(lambda: is_gone(command))
            wait_until(lambda: bool(children_of(second)), within_s=60)
            print(f"taken over after {time.monotonic() - killed_at:.1f} s")  # noqa: T201 - what was measured

            again = engine.find(job_id)
            assert (again.state, again.attempts) == (JobState.RUNNING, 2)

            asked_at = time.monotonic()
            second.send_signal(signal.SIGTERM)
            out, _ = second.communicate(timeout=30)
            assert time.monotonic() - asked_at < 30

    assert second.returncode == 0
    assert json.loads(out)["jobs"]["handed_back"] == 1
    handed_back = engine.find(job_id)
    assert (handed_back.state, handed_back.attempts) == (JobState.WAITING, 1)


def test_a_command_that_is_cancelled_ends(engine: JobEngine, state_url: str, tmp_path: Path) -> None:
    (job_id,) = engine.enqueue([ENDLESS])
    assert job_id is not None

    with worker_process(state_url, tmp_path) as worker:
        wait_until(lambda: bool(children_of(worker)))
        (command,) = children_of(worker)
        engine.cancel(job_id)
        wait_until(lambda: engine.find(job_id).state is JobState.CANCELLED)

        assert is_gone(command)
        assert worker.poll() is None
