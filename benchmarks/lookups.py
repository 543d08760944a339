"""Carrier lookups: the rate that a provider is asked at, and what is paid when runs are killed.

python benchmarks/lookups.py [--kills N] [--contacts N]

The first lines screen files whose numbers nobody knows, each answer taking 100 ms: how near the calls come to the rate
that the settings allow, and how many numbers go into a call. The last ones sync a CRM with three providers of different
shapes (one number a call, a thousand a call, orders) and kill the run at random moments until it has had its kills:
what was billed, by distinct number, and how many answers were lost with the runs that waited for them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

LATENCY_MS = 100
COMMAND = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]

RATES = [("hlr-lookups", 50, 2_000), ("hlr-lookups", 200, 8_000), ("infobip", None, 20_000)]
"""Provider, the calls a second that are allowed, and how many numbers are screened."""

ROUTING = "routing: {US: [bandwidth, twilio], GB: [infobip], DE: [infobip], default: [twilio, infobip]}\n"
SHAPES = {"twilio": "one number a call", "infobip": "a thousand a call", "bandwidth": "orders"}


class Accounts:
    """The sandbox in a process of its own; see ``lookup_accounts.py``. Use it with ``with``."""

    def __init__(self, contacts: int) -> None:
        server = Path(__file__).with_name("lookup_accounts.py")
        words = [sys.executable, str(server), str(contacts), "--latency", str(LATENCY_MS)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.settings: dict[str, str] = self._read()

    def tally(self) -> dict[str, dict[str, Any]]:
        """Return what has been counted, by provider."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--contacts", type=int, default=1500)
    given = parser.parse_args()

    for provider, pace, numbers in RATES:
        print(measure_rate(provider, pace, numbers), flush=True)
    print_bills(given.kills, given.contacts)


def measure_rate(provider: str, pace: int | None, numbers: int) -> str:
    """Screen a file of so many numbers and return a line about the calls."""
    with Accounts(contacts=1) as accounts, tempfile.TemporaryDirectory() as folder:
        rows = [f"+1415{200 + each // 10_000}{each % 10_000:04}" for each in range(numbers)]
        Path(folder, "numbers.csv").write_text("\n".join(["phone", *rows]), encoding="utf-8")
        settings = {"RINGFENCE_LOOKUP__PROVIDERS": json.dumps([provider])}
        if pace is not None:
            settings[f"RINGFENCE_{provider.upper().replace('-', '_')}__PACE"] = str(pace)
        start(folder, {**accounts.settings, **settings}, "screen", "numbers.csv", "--lookups").communicate()
        found = accounts.tally()[provider]

    rate = (found["calls"] - 1) / found["seconds"]
    told = f"{provider}: {found['numbers']:,} numbers in {found['calls']:,} calls, {rate:.1f} calls a second"
    of_allowed = f", {rate / pace:.1%} of {pace}, {found['busiest_second']} in the busiest" if pace is not None else ""
    return f"{told}{of_allowed}; {found['numbers'] / found['calls']:,.0f} numbers a call, {found['billed']:,} billed"


def print_bills(kills: int, contacts: int) -> None:
    """Kill syncs at random moments, let one end, and print what was billed of each provider."""
    draw, killed = Random("lookups"), 0
    with Accounts(contacts) as accounts, tempfile.TemporaryDirectory() as folder:
        Path(folder, "policy.yaml").write_text(ROUTING, encoding="utf-8")
        settings = {
            **accounts.settings,
            "RINGFENCE_LOOKUP__PROVIDERS": json.dumps(list(SHAPES)),
            "RINGFENCE_LOOKUP__MAX_LOOKUPS": "1000000",
            "RINGFENCE_POLICY": "policy.yaml",
        }
        for _ in range(kills):
            process = start(folder, settings, "sync", "hubspot", "--json")
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=draw.uniform(1.0, 4.0))
            killed += process.poll() is None
            process.kill()
            process.communicate()

        out, _ = start(folder, settings, "sync", "hubspot", "--json").communicate()
        document = json.loads(out)
        found = accounts.tally()

    print(f"{killed} syncs killed, then one to its end: complete {document['complete']}")
    for provider, shape in SHAPES.items():
        bill = found.get(provider, {"numbers": 0, "billed": 0})
        ratio = bill["billed"] / bill["numbers"] if bill["numbers"] else 1.0
        print(f"{provider} ({shape}): {bill['numbers']:,} numbers, {bill['billed']:,} billed, ratio {ratio:.3f}")
    print(f"answers lost with the runs that waited for them: {document['lookups_lost']:,}")


def start(folder: str, settings: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """Start the command in a folder, with these settings and no others of ringfence."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, *words], cwd=folder, env={**kept, **settings}, **pipes)


if __name__ == "__main__":
    main()
