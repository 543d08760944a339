"""The process behind lookups.py: a sandbox whose lookup providers note when each call came, and how often they billed.

Prints the settings that point ringfence at it as a line of JSON. Each line on standard input is answered with what has
been counted so far, by provider: ``{"twilio": {"calls": N, "seconds": S, "busiest_second": N, "numbers": N,
"billed": N}}``, where seconds lie between the first call and the last. It ends with its input.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.server import Sandbox

NO_LIMIT = 10**6


class Noted(Counter[str]):
    """Counts requests by provider, or all for the one named, and keeps the moment of each."""

    def __init__(self, provider: str = "") -> None:
        super().__init__()
        self.moments: defaultdict[str, list[float]] = defaultdict(list)
        self._provider = provider

    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)
        self.moments[self._provider or name].append(time.monotonic())


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", type=int)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds that each answer of a provider takes")
    given = parser.parse_args()

    faults = parse_faults(
        "\n".join(f"{name}: {{latency_ms: {given.latency}}}" for name in ("twilio", "lookups")), "these"
    )
    with Sandbox(contacts=given.contacts, lookups=True, faults=faults) as sandbox:
        sandbox.hubspot.searches.limit = sandbox.hubspot.calls.limit = NO_LIMIT
        sandbox.twilio.window.limit = NO_LIMIT
        for window in sandbox.lookups.windows.values():
            window.limit = NO_LIMIT
        twilio, others = Noted("twilio"), Noted()
        sandbox.twilio.requests, sandbox.lookups.requests = twilio, others

        print(json.dumps(sandbox.settings()), flush=True)
        for _ in sys.stdin:
            moments = {**others.moments, **twilio.moments}
            print(json.dumps({name: _count(sandbox, name, when) for name, when in moments.items()}), flush=True)


def _count(sandbox: Sandbox, provider: str, moments: list[float]) -> Mapping[str, Any]:
    billed = sandbox.twilio.billed if provider == "twilio" else sandbox.lookups.billed_by(provider)
    return {
        "calls": len(moments),
        "seconds": moments[-1] - moments[0],
        "busiest_second": max(bisect_left(moments, each + 1.0) - place for place, each in enumerate(moments)),
        "numbers": len(billed),
        "billed": sum(billed.values()),
    }


if __name__ == "__main__":
    main()
