"""SIGTERM while lookups are slow: what was asked is answered and written, nothing else is asked or bought twice."""

from __future__ import annotations

import signal
import time

import pytest

from testkit.account import Account
from testkit.commands import Cli

SLOW = "service: twilio, fault: {kind: delay, ms: 300}"
THREADS = 8


@pytest.fixture
def people() -> int:
    return 60


def test_ends_under_slow_lookups_write_what_was_answered_and_ask_no_more(account: Account, command: Cli) -> None:
    account.fail(SLOW)
    process = account.start("sync", account.crm, "--json")
    asked: list[float] = []

    def tell(_name: str) -> None:
        asked.append(time.monotonic())
        if len(asked) == 10:
            process.send_signal(signal.SIGTERM)

    account.asked.tell = tell
    result = account.finish(process)
    ended, account.asked.tell = time.monotonic(), None

    document = result.document
    assert (result.code, document["error"], document["complete"]) == (143, "Terminated", False)
    assert document["lookups"] == document["providers"]["twilio"]["asked"] == len(asked) <= 10 + THREADS
    assert document["providers"]["twilio"]["lost"] == 0
    assert result.total("written") >= len(asked) // 2
    assert result.total("deferred") > 0
    assert ended - asked[9] < 5

    account.fail()
    account.pass_time(minutes=3)
    assert command("sync", account.crm, "--json").code == 0
    assert account.unscreened() == []
    assert max(account.sandbox.twilio.billed.values()) == 1
