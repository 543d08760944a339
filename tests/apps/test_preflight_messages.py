"""What a sync and a check say when the mapping and the account do not fit: short, whole sentences, one remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from ringfence.apps.cli.output import Output
from ringfence.apps.operations.preflight import require_ready
from ringfence.apps.remedies import word
from ringfence.core.errors import AccessError, SchemaError
from ringfence.core.ports.crm import Finding, Level
from ringfence.sandbox.server import Sandbox

from .conftest import Cli


def _missing(count: int) -> list[Finding]:
    return [
        Finding(Level.PROBLEM, f"Lead.F{i}", "there is no such field.", "Run setup.", SchemaError) for i in range(count)
    ]


def test_a_bare_org_is_one_readable_message() -> None:
    with pytest.raises(SchemaError) as caught:
        require_ready(_missing(24), "salesforce")
    assert caught.value.message == (
        "salesforce is not ready: Lead.F0: there is no such field; Lead.F1: there is no such field; "
        "Lead.F2: there is no such field; and 21 more."
    )
    assert word(caught.value)[1] == "Run setup. `ringfence check salesforce` shows all of it."


def test_the_first_problem_decides_what_is_raised() -> None:
    denied = Finding(Level.PROBLEM, "Lead", "not writable.", "Grant it.", AccessError)
    with pytest.raises(AccessError):
        require_ready([Finding(Level.WARNING, "org", "small."), denied, *_missing(1)], "salesforce")


@pytest.mark.usefixtures("settings")
def test_a_mapping_for_another_crm_is_named_without_a_guess(cli: Cli) -> None:
    Path("mine.yaml").write_text("crm: salesforce\nobjects:\n  Lead:\n    phones: {Phone: {}}\n", encoding="utf-8")
    wrong = cli("check", "hubspot", "--mapping", "mine.yaml")
    assert wrong.code == 2
    assert "'salesforce', not hubspot." in wrong.err

    both = cli("check", "--mapping", "mine.yaml")
    assert both.code == 2
    assert "hubspot, salesforce" in both.err
    assert both.out == ""


def test_check_names_the_fields_that_lack_the_same_way_in_one_entry(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(contacts=10, bare=True) as bare:
        for name, value in bare.settings().items():
            monkeypatch.setenv(name, value)
        for crm, most in (("hubspot", 25), ("salesforce", 36)):
            printed = cli("check", crm)
            assert printed.code == 3
            assert len(printed.out.splitlines()) <= most

            problems = [
                f for f in cli("check", crm, "--json").document["crms"][0]["findings"] if f["level"] == "problem"
            ]
            assert len(problems) > 12
            assert all(printed.out.count(f["subject"].rpartition(".")[2]) for f in problems)


def test_an_entry_of_a_list_stands_under_its_mark(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.out = Console(force_terminal=True, width=30, color_system=None)
    output.item("a sentence that is longer than one line", mark="problem")
    assert capsys.readouterr().out == "  problem a sentence that is\n          longer than one line\n"

    output.out = Console(width=30)
    output.item("a sentence that is longer than one line", mark="problem")
    assert capsys.readouterr().out == "  problem a sentence that is longer than one line\n"
