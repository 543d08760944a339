"""``ringfence serve`` as a process of its own, as a machine has it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .jobs import wait_until
from .worker_processes import settings_of

START_SERVE = [sys.executable, "-c", "from ringfence.apps.cli import main; main()", "serve", "--json"]

_URL = re.compile(r"Serving (http://\S+);")


@dataclass
class ServeProcess:
    """A service that answers at ``url``; what it logs goes into the file ``log``."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def end(self, number: int = signal.SIGTERM) -> str:
        """Ask for the end, and return what was printed on standard output."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


@contextmanager
def serve_process(state_url: str, folder: Path, *options: str, **settings: str) -> Iterator[ServeProcess]:
    """Give a service that answers on a free port, or the one of the options; what is left after the block is killed."""
    free = [] if "--port" in options else ["--port", "0"]
    log = folder / "serve.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*START_SERVE, *free, *options],
            cwd=folder,
            env=settings_of(state_url, **settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        wait_until(lambda: _URL.search(log.read_text()) is not None or process.poll() is not None)
        found = _URL.search(log.read_text())
        assert found, log.read_text()
        yield ServeProcess(process, found[1], log)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
