"""Real processes on one store: together they call no faster than the limit, and not much slower."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.core.state.store import open_store
from testkit.postgres import key_of

pytestmark = pytest.mark.slow

LIMIT, PROCESSES, SECONDS = 50, 4, 5

CALLER = """
import json, sys, time
from ringfence.connectors.http.account_calls import AccountCalls
from ringfence.core.clock import SystemClock
from ringfence.core.ports.call_limits import Rate
from ringfence.core.state.shared_limits import SharedLimits
from ringfence.core.state.store import open_store

url, key, limit, seconds = sys.argv[1], sys.argv[2] or None, int(sys.argv[3]), float(sys.argv[4])
clock = SystemClock()
calls = AccountCalls(SharedLimits(open_store(url, key), clock), clock, "test:one")
moments, ends = [], time.monotonic() + seconds
while time.monotonic() < ends:
    calls.wait_for_place("call", Rate(limit, 1.0))
    moments.append(time.time())
print(json.dumps(moments))
"""


def test_four_processes_keep_a_limit_of_calls_a_second(state_url: str, tmp_path: Path) -> None:
    key = key_of(state_url)
    open_store(state_url, key).close()
    words = [sys.executable, "-c", CALLER, state_url, key or "", str(LIMIT), str(SECONDS)]

    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    moments = sorted(each for process in running for each in json.loads(process.communicate(timeout=60)[0]))

    lasted = moments[-1] - moments[0]
    worst = max(sum(start <= each < start + 1 for each in moments) for start in moments)
    print(f"{(len(moments) - 1) / lasted:.1f}/s, worst second {worst}")  # noqa: T201 - what was measured
    # What is measured is when a process goes on, which a busy machine delays by more than the limit leaves between two.
    assert worst <= LIMIT * 1.1
    assert LIMIT / 2 <= (len(moments) - 1) / lasted <= LIMIT * 1.1
