"""No money without a word: without cap or consent a sync does all but buying, and says what it would have bought."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli

CAP = "RINGFENCE_LOOKUP__MAX_LOOKUPS"


@pytest.fixture
def people() -> int:
    return 60


@pytest.fixture(autouse=True)
def _no_cap(account: Account) -> None:
    account.extra[CAP] = ""


def silenced(account: Account) -> bool:
    """Whether every filled slot of a flagged record says that nobody may contact it."""
    return all(
        row.get(account.companion("status", role)) == "do_not_contact"
        for row in account.live().values()
        if account.is_flagged(row)
        for role in ("phone", "mobile")
        if row.get(account.names[role])
    )


@pytest.mark.parametrize("words", [(), ("--yes",), ("--full",), ("--limit", "20")])
def test_without_a_word_nothing_is_bought_and_all_the_rest_is_done(
    account: Account, command: Cli, words: tuple[str, ...]
) -> None:
    account.extra["RINGFENCE_TWILIO__PRICE"] = "0.5"
    account.extra["RINGFENCE_LOOKUP__CURRENCY"] = "EUR"

    stopped = command("sync", account.crm, "--json", *words)

    assert stopped.code == stopped.document["exit_code"] == 2
    planned = int(stopped.document["message"].split()[0])
    assert f"{planned} numbers would be looked up, for {planned / 2:.2f} EUR" in stopped.document["message"]
    assert CAP in stopped.document["remedy"]
    assert "--confirm-cost" in stopped.document["remedy"]
    assert account.asked.total() == 0
    assert silenced(account)


def test_with_a_word_the_lookups_that_waited_are_bought_once(account: Account, command: Cli) -> None:
    planned = int(command("sync", account.crm, "--json").document["message"].split()[0])

    bought = command("sync", account.crm, "--confirm-cost", "--json")

    assert (bought.code, bought.document["complete"]) == (0, True)
    assert account.asked.total() == planned
    assert max(account.sandbox.twilio.billed.values()) == 1
    assert account.unscreened() == []


def test_a_cap_is_a_word(account: Account, command: Cli) -> None:
    account.extra[CAP] = "7"

    assert command("sync", account.crm, "--json").code == 4
    assert account.sandbox.twilio.billed.total() == 7


def test_what_is_known_costs_nothing_and_needs_no_word(account: Account, command: Cli) -> None:
    # Some slots are fresh by the numbering plan alone.
    assert command("sync", account.crm, "--rescreen", "--confirm-cost", "--json").code == 0
    account.pass_time(minutes=3)

    for words in ((), ("--full",), ("--rescreen",)):
        again = command("sync", account.crm, "--json", *words)
        assert again.code == 0, again.err


def test_a_dry_run_says_what_it_would_cost_and_needs_no_word(account: Account, command: Cli) -> None:
    rehearsal = command("sync", account.crm, "--dry-run", "--json")

    planned = rehearsal.document["lookups_planned"]
    assert (rehearsal.code, rehearsal.document["cost_planned"]) == (0, pytest.approx(planned * 0.017))
    assert planned > 0


def test_without_a_word_a_rescreen_enforces_opt_outs(account: Account, command: Cli) -> None:
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    assert command("sync", account.crm, "--json").code == 0
    del account.extra["RINGFENCE_LOOKUP__PROVIDERS"]
    speaking = next(
        key for key, row in account.live().items() if not account.is_flagged(row) and row[account.names["phone"]]
    )
    account.edit(speaking, flag=True)
    account.pass_time(minutes=3)

    assert command("sync", account.crm, "--rescreen", "--yes", "--json").code == 2
    assert account.asked.total() == 0
    assert silenced(account)
