"""Killed anywhere, run again: likewise where Salesforce reads and writes by Bulk jobs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.sandbox.salesforce.bulk_load import IngestJob
from testkit.account import Account

# The same command, for which a little is much: so that a small account takes the ways of a large one.
SMALL = """
from ringfence.connectors.salesforce.bulk import query, reader, writer
from ringfence.core.decisions import mass_change
reader.WORTH_FROM, reader.RECORDS_AT_ONCE, query.RESULT_ROWS = 20, 20, 60
mass_change.THOUSANDS = 20
writer.CALLS, writer.AT_ONCE, writer._rows_of_a_file = 1, 30, lambda _shapes: 80
from ringfence.apps.cli import main
main()
"""
KINDS = 10  # of requests to jobs: all that an unbroken run makes
ENOUGH = 3  # kills; with each of them less is left to do


@pytest.fixture
def crm() -> str:
    return "salesforce"


def start(account: Account, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SMALL, "sync", "salesforce", "--json", *words],
        cwd=account.folder,
        env=account.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(account: Account, *words: str) -> Any:
    result = account.finish(start(account, *words))
    assert result.code == 0, result.err
    assert result.document["complete"]
    return result


def kill_at(account: Account, wanted: str, nth: int) -> bool:
    """Run a sync and kill it as such a request comes in, which is still carried out; False if none came."""
    left, processes = [nth], []

    def tell(name: str) -> None:
        left[0] -= name == wanted
        if left[0] == 0:
            processes[0].send_signal(signal.SIGKILL)

    processes.append(start(account))
    account.requests.tell = tell
    result = account.finish(processes[0])
    account.requests.tell = None
    assert result.code in (0, -signal.SIGKILL), result.err
    return bool(result.code)


def order(account: Account) -> list[str]:
    """Run a sync to its end and return what it asked for that has to do with jobs, each kind once, the first first."""
    seen: dict[str, None] = {}
    account.requests.tell = lambda name: seen.setdefault(name) if "/jobs/" in name else None
    finish(account)
    account.requests.tell = None
    return list(seen)


def test_killed_anywhere_in_bulk_run_again_gives_the_same_end_state(open_account: Callable[[str], Any]) -> None:
    unbroken = open_account("unbroken")
    kinds = order(unbroken)

    assert len(kinds) == KINDS

    # A kill while rows are read leaves all of them to be written, so the two are broken one after the other.
    for name in ("query", "ingest"):
        broken = open_account(name)
        killed = [kind for kind in kinds if f"/jobs/{name}" in kind and kill_at(broken, kind, 1)]
        assert len(killed) >= ENOUGH, killed
        finish(broken)
        assert broken.lasting() == unbroken.lasting()
        assert max(broken.sandbox.twilio.billed.values()) == 1
        assert broken.sandbox.twilio.billed == unbroken.sandbox.twilio.billed
        assert finish(broken, "--full").total("written") == 0
        # No row waits in a job that was left open.
        jobs = broken.sandbox.salesforce.jobs.every(IngestJob)
        assert not [job for job in jobs if job.state == "Open" and job.upload]
