"""A HubSpot workflow against `ringfence serve`: how fast it answers, and how fast what waits is completed.

The sandbox plays HubSpot and Twilio in this process, the service runs in one of its own. With `--kill` it is killed
with SIGKILL in the middle and started again.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from state_stores import new_store

from ringfence.sandbox.hubspot.workflow_run import WorkflowPlan, WorkflowReport, run_workflow
from ringfence.sandbox.server import Sandbox

SPARE = 1.4
"""People for each contact: some have no phone number."""


def main() -> int:
    """Run what the arguments say and print a table; return 1 where an execution is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000)
    parser.add_argument("--rates", type=float, nargs="+", default=[20.0, 50.0], help="executions a second")
    parser.add_argument("--state", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kill", action="store_true", help="kill the service in the middle and start it again")
    given = parser.parse_args()

    print("| executions a second | completed | at once | calls | twice | answer p50, p99 ms | told p50, p99 s |")
    print("|---|---|---|---|---|---|---|")
    reports = [_measure(given, rate) for rate in given.rates]
    return 0 if all(report.is_good for report in reports) else 1


def _measure(given: argparse.Namespace, rate: float) -> WorkflowReport:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        Sandbox(contacts=int(given.contacts * SPARE) + 20) as sandbox,
        new_store(given.state) as store,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = {**sandbox.settings(), **store, "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]'}
        settings["RINGFENCE_LOOKUP__MAX_PER_DAY"] = "1000000"
        with _serving(settings, Path(folder), port) as service:
            _await(url)
            # The first executions load what a process needs once.
            run_workflow(sandbox.hubspot, url, WorkflowPlan(contacts=20, rate=20))
            sandbox.hubspot.requests.clear()
            if given.kill:
                threading.Timer(given.contacts / rate / 2, service.kill_and_restart).start()
            report = run_workflow(sandbox.hubspot, url, WorkflowPlan(contacts=given.contacts, rate=rate))
    cells = [
        f"{rate:g}",
        f"{report.completed:,} of {report.sent:,}",
        f"{report.at_once:,}",
        f"{report.calls:,}",
        f"{report.twice:,}",
        f"{report.answer_p50 * 1000:.0f}, {report.answer_p99 * 1000:.0f}",
        f"{report.told_p50:.2f}, {report.told_p99:.2f}",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)
    return report


class _Service:
    """`ringfence serve` as a process of its own."""

    def __init__(self, settings: Mapping[str, str], folder: Path, port: int) -> None:
        self._settings, self._folder, self._port = settings, folder, port
        self._process = self._start()

    def kill_and_restart(self) -> None:
        """Kill it as a crash does, and start it again."""
        self.end(signal.SIGKILL)
        self._process = self._start()

    def end(self, sign: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(sign)
        self._process.wait(40)

    def _start(self) -> subprocess.Popen[bytes]:
        words = ["-c", "from ringfence.apps.cli import main; main()", "serve", "--port", str(self._port)]
        environment = {**os.environ, **self._settings}
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def _serving(settings: Mapping[str, str], folder: Path, port: int) -> Iterator[_Service]:
    service = _Service(settings, folder, port)
    try:
        yield service
    finally:
        service.end(signal.SIGTERM)


def _await(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), urlopen(f"{url}/healthz", timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit("the service did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
