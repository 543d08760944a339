"""Permission only tightens: what HubSpot does to a record between two runs loses no opt-out."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.sandbox.hubspot.definitions import Definition
from testkit.account import Account
from testkit.commands import Cli

PHONE, OTHER = "+1 415 555 0132", "+44 20 7946 0018"
SILENCED = "do_not_contact"


def sync(account: Account, command: Cli) -> Any:
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json")
    assert result.code == 0, result.err
    return result


@pytest.fixture
def trio(account: Account, command: Cli) -> list[tuple[str, str]]:
    """Three people on one number, screened in a first run; the first has said that calls are fine."""
    keys = account.add(3, phone=PHONE)
    account.edit(keys[0], phone=OTHER, flag=False)
    sync(account, command)
    return keys


def status(account: Account, key: tuple[str, str]) -> str:
    return str(account.rows()[key][account.companion("status")])


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [20])
def test_an_opt_out_that_was_merged_into_a_flag_that_is_down_is_enforced(
    account: Account, command: Cli, trio: list[tuple[str, str]]
) -> None:
    winner, loser, colleague = trio
    account.edit(loser, flag=True)
    survivor = account.merge(winner, loser)
    assert account.rows()[survivor]["rf_do_not_call"] == "false"

    sync(account, command)

    assert (status(account, survivor), status(account, colleague)) == (SILENCED, SILENCED)


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [20])
def test_the_opt_out_of_somebody_who_was_deleted_is_enforced(
    account: Account, command: Cli, trio: list[tuple[str, str]]
) -> None:
    _, deleted, colleague = trio
    account.edit(deleted, flag=True)
    account.sandbox.hubspot.archive(deleted[1])

    sync(account, command)

    assert status(account, colleague) == SILENCED


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [20])
def test_an_opt_out_among_several_values_is_enforced_and_the_others_stay(account: Account, command: Cli) -> None:
    name, values = "preferences", ("no_calls", "no_email", "vip")
    options = [{"label": value, "value": value, "displayOrder": 0, "hidden": False} for value in values]
    account.sandbox.hubspot.definitions["contacts"][name] = Definition(
        name, "Preferences", "enumeration", "checkbox", "contactinformation", "2026-01-01T00:00:00Z", options
    )
    flagged, colleague = account.add(2, phone=PHONE)
    account.set(flagged, preferences="no_email;no_calls")
    account.set(colleague, preferences="vip;no_email")
    (account.folder / "mapping.yaml").write_text(
        "crm: hubspot\nobjects:\n  contacts:\n    phones: {phone: {}, mobilephone: {}}\n"
        "    opt_out: {field: preferences, true_values: [no_calls], multiple: true}\n",
        encoding="utf-8",
    )

    result = command("sync", "hubspot", "--json", "--mapping", "mapping.yaml")

    assert result.code == 0, result.err
    assert (status(account, flagged), status(account, colleague)) == (SILENCED, SILENCED)
    assert account.rows()[colleague][name] == "vip;no_email;no_calls"
    assert account.rows()[flagged][name] == "no_email;no_calls"
