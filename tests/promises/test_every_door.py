"""Every door asks the ledger: what opted out in a synced account is silent in `lookup` and `screen`, never bought."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from testkit.account import Account
from testkit.commands import Cli

SILENT, SPEAKING = "+1 415 555 0132", "+44 20 7946 0018"
E164 = {SILENT: "+14155550132", SPEAKING: "+442079460018"}


@pytest.fixture
def people() -> int:
    return 20


@pytest.fixture(autouse=True)
def _synced(account: Account, command: Cli) -> None:
    """An account, synced without a provider, in which one person has opted out; a provider is there from then on."""
    (key,) = account.add(1, phone=SILENT)
    account.edit(key, flag=True)
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    assert command("sync", account.crm, "--json").code == 0
    del account.extra["RINGFENCE_LOOKUP__PROVIDERS"]


@pytest.mark.both_engines
def test_every_door_silences_what_opted_out_and_buys_the_rest(account: Account, command: Cli) -> None:
    Path("people.csv").write_text(f"phone\n{SILENT}\n{SPEAKING}\n", encoding="utf-8")

    silent, speaking = (command("lookup", number, "--json").document for number in (SILENT, SPEAKING))
    assert command("screen", "people.csv", "--lookups", "--json").code == 0

    assert (silent["status"], silent["lookups"]) == ("do_not_contact", 0)
    assert speaking["status"] != "do_not_contact"
    with Path("people.screened.csv").open(encoding="utf-8", newline="") as file:
        statuses = [row["rf_phone_status"] for row in csv.DictReader(file)]
    assert statuses == ["do_not_contact", speaking["status"]]
    assert set(account.sandbox.twilio.billed) == {E164[SPEAKING]}


def test_every_door_asks_the_ledger_without_a_provider_too(account: Account, command: Cli) -> None:
    assert command("lookup", SILENT, "--offline", "--json").document["status"] == "do_not_contact"
    assert account.asked.total() == 0


def test_every_door_says_what_silences_a_number_and_how_that_ends(account: Account, command: Cli) -> None:
    words = ("--kind", "litigator", "--reason", "letter", "--json")
    assert command("suppress", "add", SPEAKING, *words).code == 0
    texts = ("--channel", "sms", "--reason", "STOP", "--json")
    assert command("suppress", "add", "+1 415 555 0177", *texts).code == 0

    listed, texted = (command("lookup", each, "--json").document for each in (SPEAKING, "+1 415 555 0177"))
    flagged = command("lookup", SILENT, "--json").document

    assert listed["status"] == "do_not_contact"
    assert listed["reason"].startswith("opted_out: this number is on ringfence's own list (litigator)")
    assert flagged["reason"].startswith(f"opted_out: a record in {account.crm} with this number opted out")
    assert (texted["status"] != "do_not_contact", texted["lookups"]) == (True, 1)
    assert "opted out of sms elsewhere" in texted["reason"]


def test_every_door_asks_production_accounts_unless_the_sandbox_is_wanted(account: Account, command: Cli) -> None:
    _add_a_production_org(account)

    production = command("lookup", SILENT, "--offline", "--json").document
    sandbox = command("lookup", SILENT, "--offline", "--sandbox", "--json").document

    assert (production["status"], sandbox["status"]) == ("valid", "do_not_contact")


def test_every_door_is_a_run_of_the_history_that_nobody_takes_back(account: Account, command: Cli) -> None:
    Path("people.csv").write_text(f"phone\n{SPEAKING}\n", encoding="utf-8")
    command("lookup", SPEAKING, "--json")
    command("screen", "people.csv", "--json")

    screened, looked_up, synced = command("runs", "list", "--json").document["runs"]

    assert [screened["crm"], looked_up["crm"], synced["crm"]] == ["screen", "lookup", account.crm]
    assert looked_up["summary"]["lookups"] == 1
    assert SPEAKING not in command("runs", "show", looked_up["run_id"], "--json").out
    assert command("runs", "undo", looked_up["run_id"], "--json").code == 2


def test_every_door_makes_no_state_for_a_question_that_costs_nothing(
    account: Account, command: Cli, tmp_path: Path
) -> None:
    account.extra["RINGFENCE_STATE_URL"] = f"sqlite:///{tmp_path / 'elsewhere.db'}"

    assert command("lookup", SILENT, "--offline", "--json").document["status"] == "valid"
    assert not (tmp_path / "elsewhere.db").exists()


def _add_a_production_org(account: Account) -> None:
    with closing(account.open_state()) as store:
        register_org(store, Org("memory", "1", "Live", production=True))
