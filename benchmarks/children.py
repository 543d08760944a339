"""The processes that are measured: ringfence itself, and what people use instead."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loopback import Loopback

SCRIPT = Path(__file__).with_name("plain_scripts.py")
ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("apps", "connectors", "core", "mappings", "sandbox")

UNWANTED = ("RINGFENCE_", "PYTHONDONTWRITEBYTECODE")
"""How the variables begin that a child does not inherit: settings, and what would have it compile all code anew."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took. ``calls`` and ``sandbox_cpu_s`` are counted by the sandbox."""

    seconds: float
    calls: int
    peak_mb: float
    cpu_s: float
    sandbox_cpu_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the table: seconds of the whole process, start included.

    ``purposes`` and ``fewest`` are ringfence's own count of calls. ``sampled`` is the number of rows that seconds and
    calls were worked out from, where it was not all of them.
    """

    name: str
    rows: int
    written: int
    seconds: float
    cost: Cost
    calls: int
    purposes: Mapping[str, int] | None = None
    fewest: int | None = None
    sampled: int | None = None

    @property
    def pace(self) -> float:
        """Return rows a second."""
        return self.rows / self.seconds


def compile_rooms() -> None:
    """Compile the code as an installation does, so that no run takes the time for it."""
    for room in ROOMS:
        compileall.compile_dir(ROOT / room, quiet=1)


def run_ringfence(sandbox: Loopback, crm: str, name: str, folder: Path, store: Mapping[str, str]) -> Figures:
    """Run ``ringfence sync`` in a folder, over the state that these settings lead to.

    Raises SystemExit when it does not end well.
    """
    settings = {**sandbox.settings, **store}
    command = [str(Path(sys.executable).with_name("ringfence")), "sync", crm, "--json", "--yes"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        cost = measure(command, settings, sandbox, output, folder)
        document = json.load(output)

    if not document["complete"] or document["refused"]:
        raise SystemExit(f"{' '.join(command)}: {document['stopped'] or document['refused']}")
    read, written = (sum(each[what] for each in document["objects"].values()) for what in ("read", "written"))
    purposes, fewest = document["api_calls_by_purpose"], document["fewest_api_calls"]
    return Figures(name, read, written, cost.seconds, cost, cost.calls, purposes, fewest)


def run_script(sandbox: Loopback, crm: str, rows_a_call: int, sample: int | None) -> Figures:
    """Run the plain script; with ``sample`` it writes so many rows only, and the rest is worked out from them."""
    command = [sys.executable, str(SCRIPT), crm, "--batch", str(rows_a_call)]
    command += [] if sample is None else ["--sample", str(sample)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        cost = measure(command, sandbox.settings, sandbox, output)
        document = json.load(output)

    times = document["read"] / max(document["sent"], 1)
    return Figures(
        f"plain script, {'one update a row' if rows_a_call == 1 else f'{rows_a_call} rows a call'}",
        document["read"],
        round(document["written"] * times),
        cost.seconds + document["write_s"] * (times - 1),
        cost,
        cost.calls + round(document["sent"] / rows_a_call * (times - 1)),
        sampled=document["sent"] if times > 1 else None,
    )


def measure(
    command: Sequence[str],
    settings: Mapping[str, str],
    sandbox: Loopback,
    output: IO[str],
    folder: Path | None = None,
) -> Cost:
    """Run a command to its end, its output going to a file that is rewound then. Raises SystemExit when it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as words:
        before, started = sandbox.tally(), time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env={**kept, **settings}, stdout=output, stderr=words)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        seconds, after = time.perf_counter() - started, sandbox.tally()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            words.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{words.read()[-2000:]}")

    output.seek(0)
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(
        seconds,
        after.requests - before.requests,
        usage.ru_maxrss * scale / 1e6,
        usage.ru_utime + usage.ru_stime,
        after.cpu_s - before.cpu_s,
    )
