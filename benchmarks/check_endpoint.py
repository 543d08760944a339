"""How long ``/v1/check`` takes under a steady stream of questions, beside an empty endpoint of the same server.

Starts ``ringfence serve`` as a process of its own on a state that holds opt-outs and answers of a provider, and asks at
fixed moments, whether the answer before has come or not: a slow answer delays none of those behind it, and its own wait
counts. The questions are spread over the two paths in the same seconds, so that what else the machine does meets both.

    python benchmarks/check_endpoint.py [--rate 200] [--seconds 60] [--state URL]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.roles import Role
from ringfence.core.numbers import Validity
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store, open_store
from ringfence.core.state.tokens import add_token

CONNECTIONS = 32
"""Connections that the questions are sent over, as a proxy keeps them open."""

EMPTY_EVERY = 4
"""Every so many questions one goes to the empty endpoint."""

KNOWN, SILENT = 5_000, 500
"""Numbers that a provider has told of, and that opted out."""

REALM = "twilio:127.0.0.1:9:ACbench"
SETTINGS = {
    "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]',
    "RINGFENCE_LOOKUP__MAX_PER_DAY": "1000",
    "RINGFENCE_TWILIO__BASE_URL": "http://127.0.0.1:9",
    "RINGFENCE_TWILIO__ACCOUNT_SID": "ACbench",
    "RINGFENCE_TWILIO__AUTH_TOKEN": "bench",
    "RINGFENCE_LOG": "json",
}


@dataclass
class Timings:
    """The milliseconds from when each question was due to its answer, and how many were answered otherwise than 200."""

    ms: list[float] = field(default_factory=list)
    refused: int = 0

    def percentile(self, share: float) -> float:
        """Return what so large a share of the answers kept within."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * share))]

    def line(self, name: str) -> str:
        """Return the figures of a path as a line."""
        p50, p99 = statistics.median(self.ms), self.percentile(0.99)
        return (
            f"{name:10} {len(self.ms):6,} answers  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  longest {max(self.ms):7.2f} ms"
        )


def number(at: int) -> str:
    """Return the number in that place, a valid one."""
    return f"+1212{2_000_000 + at * 7:07d}"


def fill(store: Store) -> str:
    """Put opt-outs, answers and a token into the state; return the token."""
    now = datetime.now(UTC)
    with store.transaction() as connection:
        blocks = Blocks(store.keyring, "")
        for at in range(SILENT):
            kind, source = BlockKind.OPTED_OUT, BlockSource.PERSON
            blocks.add(connection, NewEntry(number(at), kind, Channel.ALL, source, "bench", "bench", now))
    answers = [
        Answer(number(at), AnswerKind.KNOWN, now, Validity.VALID, line="active", line_type="mobile", paid=False)
        for at in range(SILENT, SILENT + KNOWN)
    ]
    LookupCache(store, "bench").keep(REALM, answers)
    with store.transaction() as connection:
        return add_token(connection, f"bench-{now:%H%M%S%f}", Role.VIEWER, "bench", now)


class Connection:
    """One connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def close(self) -> None:
        """Close it."""
        self._writer.close()

    async def ask(self, request: bytes) -> int:
        """Send a request, read its answer, and return its status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await self._reader.readexactly(int(length[1]) if length else 0)
        return int(head.split(b" ", 2)[1])


def requests_of(token: str, at: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the question in that place."""
    if at % EMPTY_EVERY == EMPTY_EVERY - 1:
        return "/healthz", b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
    body = json.dumps({"number": number(at * 31 % (2 * (SILENT + KNOWN))), "region": "US"}).encode()
    head = f"POST /v1/check HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n"
    return "/v1/check", head.encode() + b"Content-Type: application/json\r\n\r\n" + body


async def measure(port: int, token: str, rate: float, seconds: float) -> dict[str, Timings]:
    """Ask at that rate of questions to ``/v1/check`` for so many seconds, and return the timings by path."""
    timings = {"/v1/check": Timings(), "/healthz": Timings()}
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection(*await asyncio.open_connection("127.0.0.1", port)))

    async def ask(at: int, due: float) -> None:
        name, request = requests_of(token, at)
        connection = await free.get()
        status = await connection.ask(request)
        free.put_nowait(connection)
        timings[name].ms.append((time.perf_counter() - due) * 1000)
        timings[name].refused += status != 200

    pace = 1 / (rate * EMPTY_EVERY / (EMPTY_EVERY - 1))
    began, asked = time.perf_counter(), []
    for at in range(int(seconds / pace)):
        due = began + at * pace
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        asked.append(asyncio.create_task(ask(at, due)))
    await asyncio.gather(*asked)
    while not free.empty():
        free.get_nowait().close()
    return timings


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[int, int]]:
    """Run the service for the block, and yield its port and the id of its process."""
    environment = {**os.environ, **SETTINGS, "RINGFENCE_STATE_URL": url}
    command = [str(Path(sys.executable).with_name("ringfence")), "serve", "--port", "0"]
    log = folder / "serve.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=stream, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r"Serving http://[^:]+:(\d+)", log.read_text("utf-8"))):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"serve did not begin:\n{log.read_text('utf-8')}")
            time.sleep(0.1)
        yield int(found[1]), process.pid
    finally:
        process.terminate()
        process.wait(60)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line for each path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="questions a second to /v1/check")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--state", help="SQLAlchemy URL of an empty store; a new file unless told")
    told = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = told.state or f"sqlite:///{folder / 'state.db'}"
        store = open_store(url, os.environ.get("RINGFENCE_ENCRYPTION_KEY"))
        token = fill(store)
        store.close()
        with serving(folder, url) as (port, pid):
            asyncio.run(measure(port, token, told.rate, 2))  # what is read and made once is no part of it
            before = cpu_seconds(pid)
            timings = asyncio.run(measure(port, token, told.rate, told.seconds))
            spent = cpu_seconds(pid) - before

    for path, each in timings.items():
        print(each.line(path) + (f"  {each.refused:,} not answered" if each.refused else ""))
    asked = sum(len(each.ms) for each in timings.values())
    print(f"processor time of serve: {spent:.1f} s, {spent / asked * 1000:.2f} ms a request")
    check, empty = timings["/v1/check"], timings["/healthz"]
    ratios = [check.percentile(share) / empty.percentile(share) for share in (0.5, 0.99)]
    print(f"ratio to the empty endpoint: p50 {ratios[0]:.2f}, p99 {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
