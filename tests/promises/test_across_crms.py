"""An opt-out in one CRM silences the number in every CRM of the ledger, and ends where a person has ended it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.sandbox.server import Sandbox
from testkit.account import Account
from testkit.commands import Cli

LINE, E164 = "+1 415 555 0132", "+14155550132"


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """Give one sandbox in which both CRMs run."""
    with Sandbox(contacts=20) as running:
        yield running


@pytest.fixture
def hub(shared: Sandbox, tmp_path: Path) -> Account:
    return Account("hubspot", shared, tmp_path / "hub")


@pytest.fixture
def force(shared: Sandbox, tmp_path: Path) -> Account:
    return Account("salesforce", shared, tmp_path / "force")


@pytest.fixture
def account(hub: Account) -> Account:
    """Give the settings that the command line takes: those of both CRMs."""
    return hub


def said(account: Account, key: tuple[str, str]) -> tuple[bool, object]:
    row = account.rows()[key]
    return account.is_flagged(row), row.get(account.companion("status"))


@pytest.mark.slow
def test_an_opt_out_reaches_both_crms_is_raised_again_on_a_sharer_and_ends_at_its_source(
    hub: Account, force: Account, command: Cli
) -> None:
    (source,), sharers = hub.add(1, phone=LINE), force.add(3, phone=LINE)
    assert command("sync", "--all", "--json").code == 0
    hub.edit(source, flag=True)

    command("sync", "--all", "--json")
    silenced = [said(hub, source), *(said(force, key) for key in sharers)]

    force.edit(sharers[1], flag=False)
    command("sync", "--all", "--json")
    again, why = said(force, sharers[1]), force.rows()[sharers[1]][force.companion("reason")]

    hub.edit(source, flag=False)
    ended = command("sync", "--all", "--json").document["runs"]
    stale = {run["crm"]: [row["id"] for row in run.get("stale_flags", [])] for run in ended}

    assert silenced == [(True, "do_not_contact")] * 4
    assert again == (True, "do_not_contact")
    assert why.startswith("opted_out: a record in hubspot with this number opted out: clear its flag there")
    assert said(hub, source)[0] is False
    assert said(hub, source)[1] != "do_not_contact"
    assert {key[1] for key in sharers} == set(stale["salesforce"])
    assert stale["hubspot"] == []
    assert command("sync", "--all", "--json").code == 0
    assert said(hub, source)[0] is False


@pytest.mark.slow
def test_a_number_that_a_person_adds_is_flagged_in_both_and_never_looked_up(
    hub: Account, force: Account, command: Cli
) -> None:
    keys = [(hub, hub.add(1, phone="+1 202 555 0143")[0]), (force, force.add(1, phone="+1 202 555 0143")[0])]
    assert command("suppress", "add", "+1 202 555 0143", "--reason", "wrote to us", "--json").code == 0
    before = command("suppress", "check", "+1 202 555 0143", "--json").code

    dry = command("sync", "--all", "--dry-run", "--json").document["runs"]
    assert command("sync", "--all", "--json").code == 0

    assert [run["objects"] for run in dry]
    assert [said(*each) for each in keys] == [(True, "do_not_contact")] * 2
    assert "+12025550143" not in hub.sandbox.twilio.billed
    assert before == command("suppress", "check", "+1 202 555 0143", "--json").code == 1


@pytest.mark.slow
def test_an_opt_out_of_the_crm_that_comes_last_reaches_the_first_in_the_same_command(
    hub: Account, force: Account, command: Cli
) -> None:
    (ours,), (theirs,) = hub.add(1, phone="+1 202 555 0177"), force.add(1, phone="+1 202 555 0177")
    assert command("sync", "--all", "--json").code == 0
    force.edit(theirs, flag=True)

    planned = command("sync", "--all", "--dry-run", "--json").document["runs"]
    runs = command("sync", "--all", "--json").document["runs"]

    assert [run["crm"] for run in runs] == ["hubspot", "salesforce"]
    assert said(hub, ours) == said(force, theirs) == (True, "do_not_contact")
    raised = [sum(counts["flags_raised"] for counts in run["objects"].values()) for run in (planned[0], runs[0])]
    assert raised == [1, 1]
