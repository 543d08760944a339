"""Two syncs of one account at once: the second says who is at it and ends; a killed one is taken over from."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

HELD_S = 60


@pytest.mark.both_engines
def test_a_second_sync_of_one_account_says_who_is_at_it(open_account: Callable[[str], Any]) -> None:
    account = open_account("here")
    asking, may_answer = threading.Event(), threading.Event()

    def hold(_request: str) -> None:
        asking.set()
        may_answer.wait(HELD_S)

    # The first one stands in the middle of its run, before an answer that does not come.
    account.asked.tell = hold
    first = account.start("sync", account.crm, "--json")
    assert asking.wait(HELD_S)
    second = account.finish(account.start("sync", account.crm, "--json"))
    assert second.code == 4
    assert second.document["error"] == "BusyError"
    assert f"process {first.pid} " in second.document["message"]
    assert re.search(r"run \d{8}-\d{6}-\w+", second.document["message"])
    assert second.document["remedy"]
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=HELD_S)
    account.asked.tell = None
    may_answer.set()
    third = account.finish(account.start("sync", account.crm, "--json"))
    assert third.code == 0
    assert third.document["complete"]
    assert account.unscreened() == []
    assert max(account.sandbox.twilio.billed.values()) == 1
    listed = account.finish(account.start("runs", "list", "--json")).document["runs"]
    assert [run["outcome"] for run in listed] == ["done", "killed"]


@pytest.mark.parametrize("people", [60])
def test_syncs_that_start_together_end_like_one(open_account: Callable[[str], Any]) -> None:
    alone, crowded = open_account("alone"), open_account("crowded")
    alone.finish(alone.start("sync", alone.crm, "--json"))
    started = [crowded.start("sync", crowded.crm, "--json") for _ in range(3)]
    codes = [crowded.finish(process).code for process in started]

    assert set(codes) <= {0, 4}
    assert 0 in codes
    assert crowded.lasting() == alone.lasting()
    assert crowded.sandbox.twilio.billed == alone.sandbox.twilio.billed
