"""A workflow over many contacts against a real `ringfence serve`, which is killed in the middle and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ringfence.sandbox.hubspot.workflow_run import WorkflowPlan, run_workflow
from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.workflows import COMPLETE_CALL, portal_settings

RINGFENCE = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]


@contextmanager
def serving(folder: Path, settings: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `ringfence serve` for the block; one that is still there after it is killed."""
    process = subprocess.Popen(
        [*RINGFENCE, "serve", "--port", str(port)],
        cwd=folder,
        env={**os.environ, **settings},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def called(sandbox: Sandbox) -> int:
    return sandbox.hubspot.requests[COMPLETE_CALL]


@pytest.mark.slow
def test_killed_between_answer_and_callback_every_execution_is_completed(tmp_path: Path) -> None:
    port = free_port()
    plan = WorkflowPlan(contacts=300, rate=60, repeated=0.3, forged=0.05, patience_s=90)
    with portal_settings(f"sqlite:///{tmp_path}/state.db", contacts=500) as (sandbox, settings):
        reports = []

        def play() -> None:
            reports.append(run_workflow(sandbox.hubspot, f"http://127.0.0.1:{port}", plan))

        player = threading.Thread(target=play)
        player.start()
        for calls in (1, 3):
            with serving(tmp_path, settings, port) as process:
                wait_until(lambda calls=calls: called(sandbox) >= calls, 60)  # type: ignore[misc]  # bound at once
                assert process.poll() is None
        with serving(tmp_path, settings, port):
            player.join(120)
        (report,) = reports

    assert (report.sent, report.completed, report.missing, report.refused) == (300, 300, 0, 0)
    assert report.forged > 0
    assert report.forged_accepted == 0
    # Only those in the very call that was cut off may have been told twice: at most one such call for each kill.
    assert report.twice <= 2 * 100
    assert report.repeated > 50


@pytest.mark.slow
def test_without_a_kill_none_is_completed_twice(tmp_path: Path) -> None:
    port = free_port()
    with (
        portal_settings(f"sqlite:///{tmp_path}/state.db", contacts=200) as (sandbox, settings),
        serving(tmp_path, settings, port),
    ):
        plan = WorkflowPlan(contacts=100, rate=100, repeated=0.5, patience_s=60)
        report = run_workflow(sandbox.hubspot, f"http://127.0.0.1:{port}", plan)

    assert (report.completed, report.missing, report.twice) == (100, 0, 0)
    assert report.by_callback > 0
    assert report.is_good


@pytest.mark.slow
def test_a_clock_that_is_too_far_away_lets_nothing_in(tmp_path: Path) -> None:
    port = free_port()
    with (
        portal_settings(f"sqlite:///{tmp_path}/state.db", contacts=30) as (sandbox, settings),
        serving(tmp_path, settings, port),
    ):
        plan = WorkflowPlan(contacts=10, rate=100, skew_s=360, patience_s=30)
        report = run_workflow(sandbox.hubspot, f"http://127.0.0.1:{port}", plan)

    assert (report.refused, report.completed, report.missing) == (10, 0, 0)


@pytest.mark.slow
def test_the_command_prints_settings_and_waits_for_the_service(tmp_path: Path) -> None:
    port = free_port()
    ports = ",".join(str(free_port()) for _ in range(3))
    words = ["sandbox", "workflow", "--contacts", "20", "--ports", ports, "--env-file", ".env", "--json"]
    with subprocess.Popen(
        [*RINGFENCE, *words, "--url", f"http://127.0.0.1:{port}"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as player:
        wait_until((tmp_path / ".env").exists, 60)
        with serving(tmp_path, {}, port):
            output, _ = player.communicate(timeout=120)

    assert player.returncode == 0
    assert b'"completed": 20' in output
