"""Queues a sync of each configured account, waits until all are over, and prints what became of them as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ringfence.apps.wiring import wire
from ringfence.core.ports.jobs import JobRequest, JobState

OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def main() -> None:
    """Put the jobs on record, wait, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="syncs of each account")
    parser.add_argument("--within", type=float, default=900, help="seconds to wait at the most")
    given = parser.parse_args()
    wiring = wire()
    store = wiring.open_state()
    engine = wiring.open_jobs(store)
    names = wiring.accounts() * given.times

    started = time.monotonic()
    engine.enqueue([JobRequest("command", _arguments(name), queue=name) for name in names])
    over = []
    while len(over) < len(names) and time.monotonic() - started < given.within:
        time.sleep(0.5)
        over = engine.list(states=OVER, limit=len(names) + 1)

    seconds = time.monotonic() - started
    done = sum(job.state is JobState.DONE for job in over)
    document = {"jobs": len(names), "done": done, "seconds": seconds}
    document["errors"] = sorted({job.error for job in over if job.state is JobState.FAILED})
    sys.stdout.write(json.dumps(document))
    store.close()


def _arguments(name: str) -> dict[str, object]:
    return {"argv": ["sync", name, "--yes"], "account": name}


if __name__ == "__main__":
    main()
