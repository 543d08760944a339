"""Forgetting history takes nothing away from opt-outs: after a purge of everything, each still does what it did."""

from __future__ import annotations

from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

SHARED, OTHER = "+1 415 555 0132", "+44 20 7946 0018"


@pytest.fixture
def people() -> int:
    """How many people the sandbox holds."""
    return 40


def sync(account: Account, command: Cli, *words: str) -> Any:
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result.document


def purge(command: Cli) -> Any:
    result = command("state", "purge", "--older-than", "0", "--json")
    assert result.code == 0, result.err
    return result.document


def flagged(account: Account) -> set[tuple[str, str]]:
    return {key for key, row in account.live().items() if account.is_flagged(row)}


def test_after_a_purge_of_everything_opt_outs_do_what_they_did(account: Account, command: Cli) -> None:
    asks, sharer = account.add(1, phone=SHARED)[0], account.add(1, mobile=SHARED, phone=OTHER)[0]
    first = sync(account, command)
    account.edit(asks, flag=True)
    sync(account, command)
    sync(account, command)
    assert {asks, sharer} <= flagged(account)

    purged = purge(command)
    runs = [run["run_id"] for run in command("runs", "list", "--json").document["runs"]]
    assert purged["purged"]["runs"] >= 1
    assert purged["purged"]["batches"] >= 1
    assert first["run_id"] not in runs
    assert purged["record"] in runs

    # An opt-out still silences who comes to share its number, and a derived flag still passes on to nobody.
    newcomer, stranger = account.add(1, phone=SHARED)[0], account.add(1, phone=OTHER)[0]
    sync(account, command)
    assert newcomer in flagged(account)
    assert stranger not in flagged(account)

    # A flag that outlives its opt-out is still told, and every door still asks the ledger until then.
    assert command("lookup", SHARED, "--sandbox", "--json").document["status"] == "do_not_contact"
    account.edit(asks, flag=False)
    told = sync(account, command)
    assert {(flag["object"], flag["id"]) for flag in told["stale_flags"]} >= {sharer, newcomer}
    assert {sharer, newcomer} <= flagged(account)


def test_after_a_purge_the_next_sync_writes_nothing_again_and_the_undo_says_why_it_cannot(
    account: Account, command: Cli
) -> None:
    first = sync(account, command)
    sync(account, command)
    purge(command)

    refused = command("runs", "undo", first["run_id"], "--json")
    again = sync(account, command)

    assert refused.code == 2
    assert "forgotten by the purge" in refused.document["message"]
    assert sum(counts["written"] for counts in again["objects"].values()) == 0


def test_a_forgotten_account_is_one_that_was_never_seen(account: Account, command: Cli) -> None:
    asks = account.add(1, phone=SHARED)[0]
    account.edit(asks, flag=True)
    sync(account, command)
    assert command("lookup", SHARED, "--sandbox", "--json").document["status"] == "do_not_contact"

    wrong = command("state", "forget", "nobody", "--json")
    (known,) = [word for word in wrong.document["message"].split() if word.startswith(f"{account.crm}:")]
    asked = command("state", "forget", known, "--json")
    rehearsed = command("state", "forget", known, "--dry-run", "--json").document
    assert (wrong.code, asked.code) == (2, 2)
    assert rehearsed["opt_outs"] >= 1
    assert command("lookup", SHARED, "--sandbox", "--json").document["status"] == "do_not_contact"

    forgotten = command("state", "forget", known, "--yes", "--json").document

    assert forgotten["opt_outs"] == rehearsed["opt_outs"]
    assert {name: rows for name, rows in forgotten["forgotten"].items() if rows} == {
        name: rows for name, rows in rehearsed["forgotten"].items() if rows
    }
    assert command("lookup", SHARED, "--sandbox", "--json").document["status"] != "do_not_contact"

    # The CRM keeps what it held: the next sync reads all of it anew, and finds the opt-out again.
    sync(account, command)
    assert command("lookup", SHARED, "--sandbox", "--json").document["status"] == "do_not_contact"
