"""Worker processes of a measurement, started, killed and ended, and commands that run beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from children import UNWANTED

RINGFENCE = str(Path(sys.executable).with_name("ringfence"))
READY_WITHIN_S = 60.0
END_WITHIN_S = 35.0


class Crew:
    """``count`` real ``ringfence worker`` processes over one state. Use it with ``with``: it waits until they turn."""

    def __init__(self, settings: Mapping[str, str], folder: Path, count: int) -> None:
        self._settings = settings
        self._folder = folder
        self._health = [folder / f"worker{number}.health" for number in range(count)]
        self._workers: list[subprocess.Popen[bytes]] = []
        self._killed: set[int] = set()

    def kill(self, number: int) -> None:
        """Kill a worker as a failing machine does: it gets no word."""
        self._killed.add(number)
        self._workers[number].kill()
        self._workers[number].wait()

    def check(self) -> None:
        """Raise SystemExit where a worker has ended by itself: what was measured then is not what workers do."""
        for number, worker in enumerate(self._workers):
            if worker.poll() is not None and number not in self._killed:
                raise SystemExit(f"worker {number} ended with {worker.returncode}:\n{self._words(number)}")

    def __enter__(self) -> Self:
        for health in self._health:
            command = [RINGFENCE, "worker", "--verbose", "--health-file", str(health)]
            # What they say is kept beside their health file, for whoever looks after one that failed.
            with health.with_suffix(".log").open("wb") as words:
                self._workers.append(
                    subprocess.Popen(
                        command,
                        cwd=self._folder,
                        env=environment(self._settings),
                        stdout=subprocess.DEVNULL,
                        stderr=words,
                        start_new_session=True,
                    )
                )
        self._await_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            try:
                worker.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _await_ready(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while not all(health.exists() for health in self._health):
            dead = [number for number, worker in enumerate(self._workers) if worker.poll() is not None]
            if dead or time.monotonic() > until:
                self.__exit__(None, None, None)
                raise SystemExit(f"a worker does not start:\n{self._words(dead[0] if dead else 0)}")
            time.sleep(0.1)

    def _words(self, number: int) -> str:
        return self._health[number].with_suffix(".log").read_text()[-2000:]


class Command:
    """A ``ringfence`` command under way that prints one JSON document."""

    def __init__(self, words: Sequence[str], settings: Mapping[str, str], folder: Path) -> None:
        self._words = [RINGFENCE, *words, "--json"]
        self._output, self._errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by result()
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            self._words, cwd=folder, env=environment(settings), stdout=self._output, stderr=self._errors
        )

    def result(self) -> tuple[float, dict[str, Any]]:
        """Return its seconds and its document once it has ended. Raises SystemExit when it does not end well."""
        try:
            code = self._process.wait()
        except BaseException:
            self._process.kill()
            raise
        seconds = time.perf_counter() - self._started
        with self._output, self._errors:
            self._output.seek(0)
            self._errors.seek(0)
            if code:
                words = f"{self._errors.read()[-2000:]}\n{self._output.read()[-2000:]}"
                raise SystemExit(f"{' '.join(self._words)} ended with {code}:\n{words}")
            return seconds, json.load(self._output)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among the variables that a process needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)} | dict(settings)
