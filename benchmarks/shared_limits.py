"""Limits of calls that processes keep together: the rate that they reach, the worst second, and what a call costs.

python benchmarks/shared_limits.py [--engine sqlite|postgresql] [--processes N] [--seconds N] [--limit N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from state_stores import ENGINES, new_store

from ringfence.connectors.http.account_calls import AccountCalls
from ringfence.core.clock import SystemClock
from ringfence.core.ports.call_limits import CallLimits, Rate
from ringfence.core.ports.own_limits import OwnLimits
from ringfence.core.state.shared_limits import SharedLimits
from ringfence.core.state.store import Store, open_store

ACCOUNT = "benchmark:one"
CALLS = 400


def main() -> None:
    """Measure each engine and print a line for it."""
    options = read_options()
    for engine in [options.engine] if options.engine else ENGINES:
        with new_store(engine) as settings:
            store = open_store(settings["RINGFENCE_STATE_URL"], settings.get("RINGFENCE_ENCRYPTION_KEY"))
            costs = measure_costs(store)
            moments = call_in_processes(settings, options.processes, options.seconds, options.limit)
            store.close()
        rate = len([each for each in moments if each < moments[0] + options.seconds]) / options.seconds
        print(
            f"{engine}: {options.processes} processes, limit {options.limit}/s: {rate:.1f}/s, "
            f"worst second {worst_second(moments)}; a place {costs['place']:.2f} ms (in one process "
            f"{costs['own place']:.3f}), a call held {costs['held']:.2f} ms, a look at pauses {costs['look']:.3f} ms"
        )


def read_options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--limit", type=int, default=50)
    return parser.parse_args()


def measure_costs(store: Store) -> Mapping[str, float]:
    """Return the milliseconds that one process spends on a call which never has to wait."""
    clock = SystemClock()
    shared, own = SharedLimits(store, clock), OwnLimits(clock.monotonic)
    return {
        "place": _time(lambda: shared.reserve("benchmark:place", "call", Rate(CALLS + 1, 100))),
        "own place": _time(lambda: own.reserve("benchmark:place", "call", Rate(CALLS + 1, 100))),
        "held": _time(lambda: _hold(shared)),
        "look": _time(lambda: shared.paused("benchmark:look")),
    }


def _hold(limits: CallLimits) -> None:
    with AccountCalls(limits, SystemClock(), "benchmark:held").hold(4, lambda _met: None, lambda: None):
        pass


def _time(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        act()
    return (time.perf_counter() - began) / CALLS * 1000


def call_in_processes(settings: Mapping[str, str], processes: int, seconds: int, limit: int) -> list[float]:
    """Let processes call as fast as the limit lets them, and return the moments of their calls in order."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, str(Path(__file__).resolve()), "--limit", str(limit), "--seconds", str(seconds)]
        environment = {**os.environ, **settings, "BENCHMARK_CALLER": "yes"}
        running = []
        for number in range(processes):
            out = Path(folder, f"{number}.json").open("w", encoding="utf-8")  # noqa: SIM115 - the child's, until it ends
            running.append((subprocess.Popen(words, env=environment, stdout=out), out))
        for process, out in running:
            process.wait()
            out.close()
        found = [json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).iterdir()]
    return sorted(each for moments in found for each in moments)


def call_until_the_end() -> None:
    """Be one of the processes: print the moment of each call, as JSON."""
    options, clock = read_options(), SystemClock()
    store = open_store(os.environ["RINGFENCE_STATE_URL"], os.environ.get("RINGFENCE_ENCRYPTION_KEY"))
    calls = AccountCalls(SharedLimits(store, clock), clock, ACCOUNT)
    moments, ends = [], time.monotonic() + options.seconds + 2
    while time.monotonic() < ends:
        calls.wait_for_place("call", Rate(options.limit, 1.0))
        moments.append(time.time())
    store.close()
    print(json.dumps(moments))


def worst_second(moments: list[float]) -> int:
    """Return the most calls that any second holds."""
    last, worst = 0, 0
    for first, moment in enumerate(moments):
        while last < len(moments) and moments[last] < moment + 1:
            last += 1
        worst = max(worst, last - first)
    return worst


if __name__ == "__main__":
    if os.environ.get("BENCHMARK_CALLER"):
        call_until_the_end()
    else:
        main()
