"""Sandbox CRMs in a process of their own, with a clock that can be moved and counters that can be read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVER = Path(__file__).with_name("loopback_server.py")


@dataclass(frozen=True, slots=True)
class Tally:
    """What the sandbox has counted since it began: requests, and seconds of processor time.

    ``refused`` are the requests that were too many; ``busiest_second`` and ``busiest_ten`` are the most that one
    account got within a second and within ten. ``lookups`` were bought, of so many numbers twice.
    """

    requests: int
    cpu_s: float
    refused: int = 0
    busiest_second: int = 0
    busiest_ten: int = 0
    lookups: int = 0
    bought_twice: int = 0


class Loopback:
    """A running sandbox of ``records`` contacts that nobody has screened; every answer is ``latency_ms`` late.

    Use it with ``with``. ``settings`` are the environment variables that point ringfence at it, ``accounts`` those of
    each account by its name. ``options`` are further words for the process (see ``loopback_server.py``).
    """

    def __init__(self, crm: str, records: int, latency_ms: int = 0, options: Sequence[str] = ()) -> None:
        command = [sys.executable, str(SERVER), crm, str(records), "--latency", str(latency_ms), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        document = self._read()
        self.settings: dict[str, str] = document["settings"]
        self.accounts: dict[str, dict[str, str]] = document["accounts"]

    def advance(self, seconds: float) -> None:
        """Move the CRM's clock ahead, and no other one."""
        self._ask({"advance": seconds})

    def tally(self) -> Tally:
        """Return what has been counted so far."""
        return Tally(**self._ask({}))

    def write_contacts(self, path: Path) -> None:
        """Have what the contacts of the first account hold written to a file; see ``contact_lines.py``."""
        self._ask({"contacts": str(path)})

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

    def _ask(self, what: dict[str, Any]) -> Any:
        if self._process.stdin:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("the sandbox ended; its words are above")
        return json.loads(line)
