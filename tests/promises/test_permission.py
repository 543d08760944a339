"""Permission only tightens: whatever is run, no flag goes down and no silenced slot speaks while a flag covers it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

SHARED, OTHER = "+1 415 555 0132", "+44 20 7946 0018"


@pytest.fixture(autouse=True)
def lowered(account: Account) -> Iterator[list[str]]:
    """Fail a test in which ringfence sends anything but a raised flag."""
    sent: list[str] = []
    flag = account.names["flag"]

    def look(record_id: str, values: Any) -> None:
        if flag in values and values[flag] not in (True, "true"):
            sent.append(record_id)

    account.watch_writes(look)
    yield sent
    assert sent == []


def sync(account: Account, command: Cli, *words: str) -> Any:
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result


def flagged(account: Account) -> set[tuple[str, str]]:
    return {key for key, row in account.live().items() if account.is_flagged(row)}


def speaking(account: Account) -> list[tuple[str, str]]:
    """The flagged records with a filled slot that does not say that nobody may contact it."""
    return [
        key
        for key in flagged(account)
        for role in ("phone", "mobile")
        if account.rows()[key].get(account.names[role])
        and account.rows()[key].get(account.companion("status", role)) != "do_not_contact"
    ]


def test_permission_only_tightens_whatever_is_run(account: Account, command: Cli) -> None:
    asked = flagged(account)
    assert asked

    first = sync(account, command)
    raised = flagged(account)

    assert raised > asked
    assert speaking(account) == []

    for words in (("--full",), ("--rescreen", "--yes"), ("--limit", "5")):
        sync(account, command, *words)
        assert flagged(account) == raised
        assert speaking(account) == []

    assert command("runs", "undo", first.document["run_id"], "--json").code == 0
    assert flagged(account) == raised
    assert speaking(account) == []

    account.lose_state()
    sync(account, command)

    assert flagged(account) >= raised
    assert speaking(account) == []


def test_permission_tightens_on_every_record_with_the_number_in_the_same_run(account: Account, command: Cli) -> None:
    asks, fresh = account.add(1, phone=SHARED)[0], account.add(1, mobile=SHARED, phone=OTHER)[0]
    third = account.add(1, phone=OTHER)[0]
    sync(account, command)
    account.edit(asks, flag=True)
    sync(account, command)

    # A flag that ringfence raised passes on to nobody: who holds the other number is a stranger.
    assert {asks, fresh} <= flagged(account)
    assert third not in flagged(account)
    assert speaking(account) == []

    account.lose_state()
    sync(account, command)

    assert third not in flagged(account)
    assert account.rows()[third][account.companion("status")] != "do_not_contact"


def test_permission_is_loosened_by_people_alone_on_every_holder(account: Account, command: Cli) -> None:
    keys = account.add(2, phone=SHARED, flag=True if account.crm == "salesforce" else "true")
    sync(account, command)
    account.edit(keys[0], flag=False)
    sync(account, command)

    # The other one asks for silence by itself, as somebody set both flags.
    assert set(keys) <= flagged(account)

    for key in keys:
        account.edit(key, flag=False)
    sync(account, command)

    assert not set(keys) & flagged(account)
    assert {account.rows()[key][account.companion("status")] for key in keys} == {"valid"}


def test_permission_of_a_merged_record_is_the_tighter_one(account: Account, command: Cli) -> None:
    winner, loser = account.add(2, phone=SHARED)
    sync(account, command)
    account.edit(loser, flag=True)
    sync(account, command, "--limit", "1")
    survivor = account.merge(winner, loser)
    sync(account, command)

    assert survivor in flagged(account)

    sync(account, command, "--full")
    assert survivor in flagged(account)
    assert speaking(account) == []


@pytest.mark.parametrize("words", [(), ("--full",)])
def test_permission_of_a_record_merged_before_its_flag_was_seen(account: Account, command: Cli, words: Any) -> None:
    (winner,) = account.add(1, phone=OTHER)
    (loser,) = account.add(1, phone=SHARED)
    sync(account, command)
    account.edit(loser, flag=True)
    survivor = account.merge(winner, loser)
    sync(account, command, *words)

    assert survivor in flagged(account)
    assert speaking(account) == []

    # What is merged away can be cleared by nobody, so that it is the survivor's flag that counts from now on.
    account.pass_time(minutes=10)
    account.edit(survivor, flag=False)
    sync(account, command)

    assert survivor not in flagged(account)
    assert account.rows()[survivor][account.companion("status")] in ("valid", "active")


@pytest.mark.parametrize("words", [(), ("--full",), ("--rescreen", "--yes")])
def test_permission_is_not_loosened_by_a_record_that_is_no_longer_there(
    account: Account, command: Cli, words: Any
) -> None:
    """A switchboard: the slots of its records are silenced without a flag, so that nothing else keeps them silent."""
    asks, *desks = account.add(30, phone=SHARED)
    account.edit(asks, flag=True)
    sync(account, command)
    assert {account.rows()[key][account.companion("status")] for key in desks} == {"do_not_contact"}

    account.delete(asks)
    sync(account, command, *words)

    assert {account.rows()[key][account.companion("status")] for key in desks} == {"do_not_contact"}
    assert not set(desks) & flagged(account)


def test_permission_is_not_loosened_by_a_mapping_that_hears_no_opt_out(account: Account, command: Cli) -> None:
    sync(account, command)
    silent = len(flagged(account))
    name = account.crm
    text = resources.files("ringfence.mappings").joinpath(f"{name}.yaml").read_text("utf-8")
    deaf = "\n".join(line for line in text.splitlines() if "opt_out:" not in line)
    (account.folder / "deaf.yaml").write_text(deaf, "utf-8")

    refused = command("sync", name, "--json", "--full", "--mapping", "deaf.yaml")

    assert refused.code == 2
    assert "--accept-opt-out-change" in refused.document["remedy"]
    assert speaking(account) == []

    sync(account, command, "--full", "--mapping", "deaf.yaml", "--accept-opt-out-change")
    assert len(flagged(account)) == silent
    assert speaking(account) == []


def test_permission_with_spread_by_slots_silences_the_line_alone(account: Account, command: Cli) -> None:
    name = account.crm
    text = resources.files("ringfence.mappings").joinpath(f"{name}.yaml").read_text("utf-8")
    slots = re.sub(r"^( +)opt_out:", r"\1spread: slots\n\1opt_out:", text, flags=re.MULTILINE)
    (account.folder / "slots.yaml").write_text(slots, "utf-8")
    asks, *colleagues = account.add(10, phone=SHARED, mobile="+44 20 7946 0018")
    for place, key in enumerate(colleagues):
        account.edit(key, mobile=f"+1 415 555 01{place + 40}")
    before = flagged(account)
    account.edit(asks, flag=True)

    sync(account, command, "--mapping", "slots.yaml")

    assert flagged(account) == before | {asks}
    status = account.companion("status")
    assert {account.rows()[key][status] for key in (asks, *colleagues)} == {"do_not_contact"}
    assert "do_not_contact" not in {account.rows()[key][account.companion("status", "mobile")] for key in colleagues}
