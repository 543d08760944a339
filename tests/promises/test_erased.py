"""An erased number is gone for good: nothing brings it back, and what keeps it silent stays."""

from __future__ import annotations

from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

REASON = ("--reason", "asked by the person")


@pytest.fixture
def people() -> int:
    """How many people the sandbox holds."""
    return 30


def sync(account: Account, command: Cli, *words: str) -> Any:
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result.document


def erase(command: Cli, number: str) -> Any:
    result = command("state", "erase", number, *REASON, "--json")
    assert result.code == 0, result.err
    return result.document


def changes_of(command: Cli, number: str) -> Any:
    return command("state", "export", number, "--json").document["changes"]


def test_a_number_that_was_erased_is_never_bought_nor_kept_again(account: Account, command: Cli) -> None:
    first = sync(account, command)
    key, number = next(
        (key, row[account.companion("e164")])
        for key, row in account.live().items()
        if row.get(account.companion("status")) == "active"
    )
    held = command("state", "export", number, "--json").document
    assert held["facts"]
    assert number in str(held["changes"])
    assert {"crm", "object", "id"} <= held["records"][0].keys()

    erased = erase(command, number)
    assert {"lookup_answers", "batches"} <= erased["erased"].keys()
    assert not erased["suppressed"]
    assert key[1] in {record["id"] for record in erased["records"]}

    billed = account.sandbox.twilio.billed[number]
    (twin,) = account.add(1, phone=number)
    sync(account, command, "--rescreen", "--yes")
    looked_up = command("lookup", number, "--sandbox", "--json").document

    assert account.sandbox.twilio.billed[number] == billed
    assert looked_up["status"] == account.rows()[twin][account.companion("status")] == "valid"
    after = command("state", "export", number, "--json").document
    assert after["erased_at"]
    assert (after["facts"], after["changes"]) == ([], [])

    # The undo of before leaves alone what it knows no more.
    undone = command("runs", "undo", first["run_id"], "--yes", "--json").document
    assert undone["kept"]["the number was erased, and with it what the field held"] >= 6
    assert account.rows()[key][account.companion("e164")] == number


def test_an_erased_number_stays_silent(account: Account, command: Cli) -> None:
    number = "+442079460018"
    asks, sharer = account.add(1, phone=number)[0], account.add(1, mobile=number)[0]
    account.edit(asks, flag=True)
    sync(account, command)

    assert erase(command, number)["suppressed"]
    newcomer = account.add(1, phone=number)[0]
    sync(account, command)

    assert all(account.is_flagged(account.live()[key]) for key in (asks, sharer, newcomer))
    assert command("suppress", "check", number, "--sandbox").code == 1
    assert changes_of(command, number) == []
