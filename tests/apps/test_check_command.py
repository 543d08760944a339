"""`ringfence check` as a doctor: everything in one go, grouped, with what a first sync meets, sets off and costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringfence.apps.cli.output import output
from ringfence.sandbox.hubspot.traits import HubSpotTraits
from ringfence.sandbox.salesforce.traits import SalesforceTraits
from ringfence.sandbox.server import Sandbox

from .conftest import Cli


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """CRMs as they are before the set-up."""
    with Sandbox(contacts=20, bare=True) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


def _first_sync(cli: Cli, crm: str) -> dict[str, Any]:
    found: dict[str, Any] = cli("check", crm, "--json").document["crms"][0]["first_sync"]
    return found


def test_a_bare_org_is_told_whole_in_groups(cli: Cli, bare: Sandbox) -> None:
    printed = cli("check", "salesforce")

    assert printed.code == 3
    titles = [line for line in printed.out.splitlines() if line and not line.startswith(" ")]
    assert titles[1:-1] == [
        "What stops a sync",
        "In order",
        "What a first sync will set off",
        "What a first sync costs, at most",
    ]
    assert printed.out.count("Contact.DoNotCall") == printed.out.count("Lead.DoNotCall") == 1
    assert "Setup > Permission Sets" in printed.out
    assert titles[-1] == (
        "not ready: see the problems above; a preview goes already: `ringfence sync salesforce --dry-run`"
    )


def test_what_runs_in_the_crm_is_named_with_a_small_start(cli: Cli, bare: Sandbox) -> None:
    bare.salesforce.traits = SalesforceTraits(
        flows={"Contact": ("Welcome call",)}, apex_triggers={"Contact": ("A", "B")}, validation_rules={}
    )

    printed = cli("check", "salesforce").out

    assert "Contact: 1 flow: Welcome call." in printed
    assert "Contact: 2 Apex triggers: A, B." in printed
    assert "Lead: nothing that is active runs on it." in printed
    assert "`ringfence sync salesforce --limit 10`" in printed

    bare.salesforce.traits = SalesforceTraits(view_setup=False)
    printed = cli("check", "salesforce").out

    assert printed.count("Contact and Lead: not known which flows, Apex triggers and validation rules.") == 1


@pytest.mark.usefixtures("settings")
def test_a_first_sync_costs_what_the_crm_counts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = _first_sync(cli, "salesforce")

    assert cost["records"] == 400
    assert cost["numbers"] == sum(each["numbers"] for each in cost["objects"].values())
    assert 0 < cost["api_calls"] < 50
    assert cost["api_calls"] < cost["calls_left"]
    assert (cost["providers"], cost["lookups"], cost["cost"]) == ([], 0, 0)
    assert cost["minutes"] >= 1

    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_TWILIO__PRICE", "0.01")
    bought = _first_sync(cli, "salesforce")

    assert bought["lookups"] == cost["numbers"]
    assert bought["cost"] == round(cost["numbers"] * 0.01, 2)

    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "100")

    assert (_first_sync(cli, "salesforce")["lookups"], _first_sync(cli, "salesforce")["cost"]) == (100, 1.0)
    assert "which RINGFENCE_LOOKUP__MAX_LOOKUPS caps at 100 a run" in cli("check", "salesforce").out


@pytest.mark.usefixtures("settings")
def test_what_a_full_pass_for_opt_outs_costs_is_told(cli: Cli, sandbox: Sandbox) -> None:
    assert _first_sync(cli, "salesforce")["calls_for_opt_outs"] == 0

    sandbox.salesforce.encrypt_field("Contact", "Department")
    Path("mine.yaml").write_text(
        "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {}, MobilePhone: {}}\n"
        "    opt_out: {field: Department, true_values: [never]}\n",
        encoding="utf-8",
    )

    assert "1 of them for opt-outs" in cli("check", "salesforce", "--mapping", "mine.yaml").out


def test_a_first_sync_for_which_the_day_has_too_few_calls_is_told(cli: Cli, bare: Sandbox) -> None:
    bare.hubspot.daily.limit = 15

    assert "of 15 a day are left: it stops when they are used up" in cli("check", "hubspot").out


@pytest.mark.usefixtures("settings")
def test_what_cannot_be_known_has_a_group_of_its_own(cli: Cli, sandbox: Sandbox) -> None:
    sandbox.hubspot.traits = HubSpotTraits(tells_scopes=False)

    document = cli("check", "hubspot", "--json").document["crms"][0]

    (unknown,) = [finding for finding in document["findings"] if finding["group"] == "unknown"]
    assert unknown["level"] == "warning"
    assert document["ready"]
    assert document["can_preview"]
    assert "What cannot be known before" in cli("check", "hubspot").out


@pytest.mark.usefixtures("bare")
def test_no_line_is_wider_than_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "out", Console(force_terminal=True, width=80, color_system=None, emoji=False))

    lines = cli("check").out.splitlines()

    assert max(map(len, lines)) <= 80
    assert any(line.startswith("  problem ") for line in lines)
    assert any(line.startswith("  records 20") for line in lines)
