"""``ringfence worker``: its queues, its health file, and the keys of two workers."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from testkit.jobs import wait_until
from testkit.worker_processes import START_WORKER, settings_of, worker_process

from .conftest import Cli

ONLY_FILE = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--queues", "nobody"], "This worker has no account 'nobody'"),
        (["--queues", "default,hubspto"], "no account 'hubspto'"),
        (["--concurrency", "0"], "--concurrency 0 would do nothing"),
        (["--health-file", "nowhere/health"], "The health file nowhere/health cannot be written"),
    ],
)
def test_what_a_worker_cannot_do_is_said_at_once(cli: Cli, options: list[str], words: str) -> None:
    refused = cli("worker", *options, "--json")

    assert refused.code == 2
    assert words in refused.document["message"]
    assert refused.document["remedy"]


@pytest.mark.slow
@ONLY_FILE
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_shows_that_it_turns_and_ends_in_good_order(
    state_url: str, tmp_path: Path, number: int, code: int
) -> None:
    health = tmp_path / "health"

    with worker_process(state_url, tmp_path, "--health-file", str(health)) as worker:
        os.utime(health, (0, 0))
        wait_until(lambda: time.time() - health.stat().st_mtime < 10)
        worker.send_signal(number)
        out, _ = worker.communicate(timeout=30)

    assert worker.returncode == code
    assert set(json.loads(out)["jobs"].values()) == {0}
    assert not health.exists()


@pytest.mark.slow
def test_a_worker_with_another_key_is_told_at_start(cli: Cli, tmp_path: Path) -> None:
    assert cli("jobs", "list").code == 0
    assert cli("state", "purge").code == 0
    other = base64.b64encode(bytes(32)).decode()
    url = f"sqlite:///{Path.cwd()}/ringfence.db"

    settings = settings_of(url, RINGFENCE_ENCRYPTION_KEY=other)
    refused = subprocess.run(START_WORKER, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=60)

    assert refused.returncode == 2
    assert json.loads(refused.stdout)["code"] == "encryption_key_mismatch"
