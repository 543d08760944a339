"""A sync in partitions: one run, a summary that adds up, and the end state of a plain sync, whoever does the parts."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testkit.account import Account

OUTCOMES = ("written", "unchanged", "conflicts", "failed", "deferred")
FIGURES = ("objects", "statuses", "skip_reasons", "lookups", "complete", "refused_total", "conflicts_total")


def sync(account: Account, *words: str, code: int = 0) -> Any:
    result = account.finish(account.start("sync", account.crm, *words, "--json"))
    assert result.code == code, result.err
    for counts in result.document["objects"].values():
        assert counts["read"] == counts["skipped_recent"] + counts["due"]
        assert counts["due"] == sum(counts[name] for name in OUTCOMES)
    return result.document


def figures(document: Any) -> dict[str, Any]:
    return {name: document[name] for name in FIGURES}


@contextmanager
def workers(account: Account, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Run workers of the account's queue, which have begun once their health files are there."""
    files = [account.folder / f"healthy-{number}" for number in range(count)]
    running = [account.start("worker", "--queues", account.crm, "--health-file", str(file)) for file in files]
    try:
        until = time.monotonic() + 30
        while not all(file.exists() for file in files) and time.monotonic() < until:
            time.sleep(0.1)
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def runs(account: Account) -> list[Any]:
    listed: list[Any] = account.finish(account.start("runs", "list", "--json")).document["runs"]
    return listed


@pytest.mark.slow
@pytest.mark.parametrize("parts", ["3"])
def test_without_workers_it_comes_to_what_a_plain_sync_comes_to(
    open_account: Callable[[str], Account], parts: str
) -> None:
    plain, divided = open_account("plain"), open_account("divided")
    expected = sync(plain)

    found = sync(divided, "--partitions", parts)

    assert divided.lasting() == plain.lasting()
    assert figures(found) == figures(expected)
    assert divided.sandbox.twilio.billed == plain.sandbox.twilio.billed
    assert [run["outcome"] for run in runs(divided)] == ["done"]
    again = sync(divided)
    assert sum(counts["written"] for counts in again["objects"].values()) == 0
    assert not again["full"]


@pytest.mark.slow
@pytest.mark.parametrize("caps", [{}, {"RINGFENCE_LOOKUP__MAX_PER_DAY": "10000"}], ids=["the run buys", "workers buy"])
def test_with_workers_it_comes_to_the_same(open_account: Callable[[str], Account], caps: dict[str, str]) -> None:
    plain, divided = open_account("plain"), open_account("divided")
    expected = sync(plain)
    divided.extra |= caps

    with workers(divided, 2):
        found = sync(divided, "--partitions", "4")

    assert divided.lasting() == plain.lasting()
    assert figures(found) == figures(expected)
    assert max(divided.sandbox.twilio.billed.values()) == 1
    assert divided.sandbox.twilio.billed == plain.sandbox.twilio.billed
    jobs = divided.finish(divided.start("jobs", "list", "--json")).document["jobs"]
    assert {job["kind"] for job in jobs} == {"sync-part"}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(open_account: Callable[[str], Account]) -> None:
    plain, divided = open_account("plain"), open_account("divided")
    expected = sync(plain)
    written = itertools.count(1)

    with workers(divided, 2) as running:

        def kill(_id: str, _row: Any) -> None:
            if next(written) == 150:
                running[0].send_signal(signal.SIGKILL)

        divided.watch_writes(kill)
        found = sync(divided, "--partitions", "4")

    assert running[0].returncode == -signal.SIGKILL
    assert divided.lasting() == plain.lasting()
    assert figures(found)["objects"] == figures(expected)["objects"]
    assert max(divided.sandbox.twilio.billed.values()) == 1
    assert sum(counts["written"] for counts in sync(divided)["objects"].values()) == 0


@pytest.mark.slow
def test_a_command_that_is_killed_is_gone_on_with_by_the_next_sync(open_account: Callable[[str], Account]) -> None:
    plain, divided = open_account("plain"), open_account("divided")
    sync(plain)
    written = itertools.count(1)

    with workers(divided, 2):
        command = divided.start("sync", divided.crm, "--partitions", "4", "--json")

        def kill(_id: str, _row: Any) -> None:
            if next(written) == 60:
                command.send_signal(signal.SIGKILL)

        divided.watch_writes(kill)
        divided.finish(command)
        last = sync(divided)

    assert command.returncode == -signal.SIGKILL
    assert last["complete"]
    assert divided.lasting() == plain.lasting()
    assert [run["outcome"] for run in runs(divided)] == ["done", "killed"]
    assert max(divided.sandbox.twilio.billed.values()) == 1
