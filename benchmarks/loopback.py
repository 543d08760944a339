"""A sandbox CRM in a process of its own, with a clock that can be moved and counters that can be read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVER = Path(__file__).with_name("loopback_server.py")


@dataclass(frozen=True, slots=True)
class Tally:
    """What the sandbox has counted since it began: requests, and seconds of processor time."""

    requests: int
    cpu_s: float


class Loopback:
    """A running sandbox of ``records`` contacts that nobody has screened; every answer is ``latency_ms`` late.

    Use it with ``with``. ``settings`` are the environment variables that point ringfence at it.
    """

    def __init__(self, crm: str, records: int, latency_ms: int = 0) -> None:
        command = [sys.executable, str(SERVER), crm, str(records), "--latency", str(latency_ms)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.settings: dict[str, str] = self._read()

    def advance(self, seconds: float) -> None:
        """Move the CRM's clock ahead, and no other one."""
        self._ask({"advance": seconds})

    def tally(self) -> Tally:
        """Return what has been counted so far."""
        return Tally(**self._ask({}))

    def close(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, what: dict[str, float]) -> Any:
        if self._process.stdin:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("the sandbox ended; its words are above")
        return json.loads(line)
