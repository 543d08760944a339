"""Killed anywhere, run again: the same end state as an unbroken run. And no paid lookup twice."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from testkit.account import Account, Watched

KILLS = 5
MOMENTS = 5
AT_ONCE = 8  # more questions than these are never under way to the provider


@pytest.fixture
def people() -> int:
    """Give enough for several batches and pages: each of the many runs works through them."""
    return 120


def killed_at(account: Account, watched: Watched, request: int) -> bool:
    """Run a sync and kill it as that request comes in; False when it ended before."""
    counted = itertools.count(1)
    return bool(account.killed(watched, lambda _name: next(counted) == request, "sync", account.crm, "--json"))


def finish(account: Account) -> Any:
    result = account.finish(account.start("sync", account.crm, "--json"))
    assert result.code == 0, result.err
    assert result.document["complete"]
    return result


def outcomes(account: Account) -> list[str]:
    listed = account.finish(account.start("runs", "list", "--json")).document
    return [run["outcome"] for run in listed["runs"]]


def test_killed_anywhere_run_again_gives_the_same_end_state(open_account: Callable[[str], Any]) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    calls = finish(unbroken).document["api_calls_by_purpose"]
    # A run has not begun, and is in no history, while it still logs in and reads the schema.
    before_it_begins = calls["login"] + calls["describe"]
    needed = unbroken.requests.total() - before_it_begins
    draw = Random(f"{broken.crm} 1")
    spread = [before_it_begins, needed // 3, *(draw.randrange(4, needed) for _ in range(KILLS - 2))]
    killed = [at for at in spread if killed_at(broken, broken.requests, at)]

    assert len(killed) >= KILLS // 2

    last = finish(broken)
    assert broken.lasting() == unbroken.lasting()
    assert max(broken.sandbox.twilio.billed.values()) == 1
    assert broken.sandbox.twilio.billed == unbroken.sandbox.twilio.billed
    assert last.document["lookups_lost"] == 0

    found = outcomes(broken)
    assert found[0] == "done"
    # One that dies while it still logs in and checks the fields has not begun, and leaves nothing to settle.
    assert found.count("killed") == sum(at > before_it_begins for at in killed)
    assert found.count("killed") < len(killed)

    again = finish(broken)
    assert again.total("written") == 0


@pytest.mark.slow
def test_killed_at_random_moments_run_again_gives_the_same_end_state(open_account: Callable[[str], Any]) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    for account in (unbroken, broken):
        account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
        account.fail(settings="latency_ms: 25")

    begun = time.monotonic()
    calls = finish(unbroken).document["api_calls_by_purpose"]
    latest = time.monotonic() - begun
    before_it_begins = calls["login"] + calls["describe"]
    draw = Random(f"{broken.crm} 3")

    # The first one dies as soon as it has begun, whatever else the machine does, the others at moments that are no
    # request's: those may lie between any two instructions.
    assert killed_at(broken, broken.requests, before_it_begins + 1)
    for _ in range(MOMENTS):
        process = broken.start("sync", broken.crm, "--json")
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=draw.uniform(latest / 4, latest))
        # Later ones have less to do.
        latest *= 1 if process.poll() is None else 0.7
        process.kill()
        process.communicate()

    finish(broken)

    assert broken.lasting() == unbroken.lasting()
    assert "killed" in outcomes(broken)
    assert finish(broken).total("written") == 0


@pytest.mark.slow
def test_answers_that_are_lost_after_they_took_effect_give_the_same_end_state(
    open_account: Callable[[str], Any],
) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    finish(unbroken)
    service = f"service: {broken.crm}"
    broken.fail(
        f"{service}, when: {{purpose: write, every: 2}}, fault: {{kind: reset, after_commit: true}}",
        f"{service}, when: {{purpose: write, every: 3}}, fault: {{kind: truncate, kept: 0.7}}",
        f"{service}, when: {{purpose: read, every: 4}}, fault: {{kind: truncate, kept: 0.3}}",
    )
    finish(broken)

    assert broken.lasting() == unbroken.lasting()
    assert broken.sandbox.twilio.billed == unbroken.sandbox.twilio.billed
    assert broken.requests.total() > unbroken.requests.total()


def test_no_paid_lookup_twice(open_account: Callable[[str], Any]) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    finish(unbroken)
    needed = unbroken.asked.total()
    draw = Random(f"{broken.crm} 2")
    killed = sum(killed_at(broken, broken.asked, draw.randrange(1, needed // 3)) for _ in range(4))

    assert killed >= 2

    finish(broken)
    asked = broken.sandbox.twilio.billed

    assert max(asked.values()) == 1
    assert set(asked) <= set(unbroken.sandbox.twilio.billed)

    # Only what an answer lost on its way would have said may differ, and that is never bought again in silence.
    others, e164s = unbroken.lasting(), set()

    for key, row in broken.lasting().items():
        differing = [name for name in row if row[name] != others[key][name]]
        assert all(name.lower().split("__")[0].endswith(("_status", "_reason", "_line_type")) for name in differing)
        for role in ("phone", "mobile"):
            companions = [broken.companion(kind, role) for kind in ("status", "reason", "line_type")]
            if set(companions) & set(differing):
                assert "(answer lost)" in row[companions[1]]
                e164s.add(row[broken.companion("e164", role)])

    assert len(e164s) <= killed * AT_ONCE
