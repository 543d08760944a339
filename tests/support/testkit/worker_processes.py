"""``ringfence worker`` as a process of its own, as a machine has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .postgres import key_of

START_WORKER = [sys.executable, "-c", "from ringfence.apps.cli import main; main()", "worker", "--json"]


def settings_of(state_url: str, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on the state."""
    ours = {"RINGFENCE_STATE_URL": state_url, **more}
    key = key_of(state_url)
    return {**os.environ, **ours, **({"RINGFENCE_ENCRYPTION_KEY": key} if key else {})}


@contextmanager
def worker_process(state_url: str, folder: Path, *options: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Give a worker that has begun; one that is still there after the block is killed."""
    process = subprocess.Popen(
        [*START_WORKER, *options],
        cwd=folder,
        env=settings_of(state_url, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "Taking jobs of" in line, line + process.stderr.read()
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)


def children_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the processes that a process has started."""
    listed = Path(f"/proc/{process.pid}/task")
    return [int(pid) for task in listed.glob("*/children") for pid in task.read_text().split()]
