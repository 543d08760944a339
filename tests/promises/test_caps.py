"""Limits hold: what lookups may cost a run and a day, for all runs and processes on one state together."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringfence.connectors.lookups.pool import THREADS
from testkit.account import Account
from testkit.commands import Cli

SETTING = "RINGFENCE_LOOKUP__"
NO_CAP = {f"{SETTING}MAX_LOOKUPS": ""}


@pytest.fixture
def people() -> int:
    return 40


@pytest.fixture
def crm() -> str:
    return "salesforce"


@pytest.fixture(autouse=True)
def _uncapped(account: Account) -> None:
    account.extra.update(NO_CAP)


@pytest.mark.parametrize(
    ("setting", "value", "room", "words"),
    [
        ("MAX_PER_DAY", "12", 12, "12 of 12"),
        ("MAX_COST_PER_RUN", "0.2", 11, "0.187 USD of 0.20 USD"),
        ("MAX_COST_PER_DAY", "0.20", 11, "0.187 USD of 0.20 USD"),
    ],
)
def test_limits_of_money_end_the_buying_and_say_which_and_how_much(
    account: Account, command: Cli, setting: str, value: str, room: int, words: str
) -> None:
    account.extra[f"{SETTING}{setting}"] = value

    stopped = command("sync", account.crm, "--json")

    assert (stopped.code, stopped.document["complete"], stopped.document["lookups"]) == (4, False, room)
    assert account.sandbox.twilio.billed.total() == room
    assert words in stopped.document["message"]
    assert f"{SETTING}{setting}" in stopped.document["remedy"]
    if "DAY" in setting:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert f"{tomorrow:%Y-%m-%d} 00:00 UTC" in stopped.document["message"]

    again = command("sync", account.crm, "--json")

    assert again.document["lookups"] == (0 if "DAY" in setting else room)
    assert max(account.sandbox.twilio.billed.values()) == 1


def test_limits_of_a_day_hold_for_single_numbers_and_files(account: Account, command: Cli) -> None:
    account.extra[f"{SETTING}MAX_PER_DAY"] = "3"
    account.folder.joinpath("people.csv").write_text(
        "phone\n+14155550130\n+14155550131\n+14155550132\n+14155550133\n", encoding="utf-8"
    )

    assert command("lookup", "+14155550199", "--json").code == 0
    screened = command("screen", "people.csv", "-o", "out.csv", "--lookups", "--json")
    refused = command("lookup", "+14155550198", "--json")

    assert (screened.code, screened.document["lookups"]) == (4, 2)
    assert f"{SETTING}MAX_PER_DAY" in screened.document["stopped"]
    assert refused.code == 4
    assert "MAX_PER_DAY" in refused.err
    assert account.sandbox.twilio.billed.total() == 3


@pytest.mark.slow
def test_limits_of_a_day_hold_for_processes_that_buy_at_once(account: Account) -> None:
    account.extra[f"{SETTING}MAX_PER_DAY"] = "10"
    files = []
    for name in "abcd":
        path = account.folder / f"{name}.csv"
        rows = [f"+1415555{'abcd'.index(name) + 1}{each:03}" for each in range(40)]
        path.write_text("\n".join(["phone", *rows]), encoding="utf-8")
        files.append(path)

    running = [account.start("screen", str(path), "--lookups", "--json") for path in files]
    results = [account.finish(each) for each in running]

    assert {each.code for each in results} == {4}
    assert account.asked.total() == account.sandbox.twilio.billed.total() == 10
    assert sum(each.document["lookups"] for each in results) == 10


def test_limits_of_a_day_count_what_a_killed_run_had_asked(account: Account, command: Cli) -> None:
    account.extra[f"{SETTING}MAX_PER_DAY"] = "20"
    account.killed(account.asked, lambda _name: account.asked.total() == 9, "sync", account.crm)
    asked = account.asked.total()

    stopped = command("sync", account.crm, "--json")

    # A question that was on record and not yet sent counts too: nobody can tell it from one whose answer was lost.
    assert stopped.code == 4
    assert 20 - THREADS <= account.asked.total() <= 20
    assert stopped.document["lookups"] == account.asked.total() - asked
    assert max(account.sandbox.twilio.billed.values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["{kind: refuse, status: 429}", "{kind: fail_packages, error_code: 60616}"])
def test_limits_of_a_day_forget_what_was_surely_not_billed(account: Account, command: Cli, fault: str) -> None:
    account.extra[f"{SETTING}MAX_PER_DAY"] = "30"
    account.fail(f"service: twilio, fault: {fault}")
    assert command("sync", account.crm, "--json").code == 4
    billed = account.sandbox.twilio.billed.total()

    account.fail()
    command("sync", account.crm, "--json")

    assert account.sandbox.twilio.billed.total() == 30
    assert billed == 0


@pytest.mark.parametrize("setting", ["MAX_LOOKUPS", "MAX_PER_DAY", "MAX_COST_PER_RUN", "MAX_COST_PER_DAY"])
def test_every_cap_is_a_word(account: Account, command: Cli, setting: str) -> None:
    account.extra[f"{SETTING}{setting}"] = "1000"

    assert command("sync", account.crm, "--json").code == 0
    assert account.sandbox.twilio.billed.total() > 40


def test_a_dry_run_counts_what_the_caps_leave_today(account: Account, command: Cli) -> None:
    account.extra[f"{SETTING}MAX_PER_DAY"] = "15"
    assert command("lookup", "+14155550199", "--json").code == 0

    rehearsal: Any = command("sync", account.crm, "--dry-run", "--json").document

    assert rehearsal["lookups_planned"] == 14
    assert account.sandbox.twilio.billed.total() == 1


@pytest.mark.parametrize("cap", ["MAX_LOOKUPS", "MAX_PER_DAY"])
@pytest.mark.slow
@pytest.mark.parametrize("words", [("sync", "salesforce", "--confirm-cost"), ("screen", "a.csv", "--lookups")])
def test_limits_of_a_day_alone_let_a_workers_job_buy(account: Account, cap: str, words: tuple[str, ...]) -> None:
    account.extra[f"{SETTING}{cap}"] = "1000"
    account.folder.joinpath("a.csv").write_text("phone\n+14155550130\n", encoding="utf-8")

    result = run_as_job(account, *words)

    may_buy = cap == "MAX_PER_DAY"
    assert (result.returncode, account.asked.total() > 0) == ((0, True) if may_buy else (2, False))
    assert may_buy or f"{SETTING}MAX_PER_DAY" in result.stdout + result.stderr


def run_as_job(account: Account, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a worker does."""
    job = [sys.executable, "-m", "ringfence.apps.worker.child", str(os.getpid()), *words]
    return subprocess.run(
        job, cwd=account.folder, env=account.environment(), capture_output=True, text=True, timeout=90, check=False
    )
