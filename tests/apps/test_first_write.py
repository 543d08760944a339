"""The first write to a production org: asked with the numbers of a preview, or with the offer to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from ringfence.apps.cli import door
from ringfence.apps.cli.output import output
from ringfence.sandbox.server import Sandbox

from .conftest import Cli

Answers = Callable[..., list[str]]


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small production portal."""
    with Sandbox(contacts=40) as running:
        running.hubspot.searches.limit = 1000
        running.hubspot.account_type = "STANDARD"
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A person at a terminal, who gives these answers; returns what they were asked."""

    def give(*words: str) -> list[str]:
        left, asked = list(words), []

        def prompt(text: str, **_: Any) -> str:
            asked.append(text)
            return left.pop(0)

        monkeypatch.setattr(typer, "prompt", prompt)
        return asked

    monkeypatch.setattr(door, "_is_terminal", lambda: True)
    return give


def _records(portal: Sandbox) -> list[dict[str, Any]]:
    return [dict(each) for each in portal.hubspot.contacts.values()]


def test_without_a_preview_one_is_offered_and_its_numbers_are_asked_about(
    cli: Cli, portal: Sandbox, answers: Answers
) -> None:
    asked = answers("preview", "n")
    before = _records(portal)

    declined = cli("sync", "hubspot")

    assert declined.code == 2
    assert _records(portal) == before
    assert asked == ["Go on? [y/N/preview]", "Go on? [y/N]"]
    preview = cli("runs", "list", "--json").document["runs"][0]
    assert f"(run {preview['run_id']}):" in declined.err
    assert "No preview of the last 24 hours" in declined.err


def test_the_numbers_of_the_last_preview_are_shown(cli: Cli, portal: Sandbox, answers: Answers) -> None:
    preview = cli("sync", "hubspot", "--dry-run", "--json").document
    asked = answers("y")

    written = cli("sync", "hubspot", "--json")

    counts = preview["objects"]["contacts"]
    assert asked == ["Go on? [y/N/preview]"]
    assert f"(run {preview['run_id']}):" in written.err
    assert f"{counts['written']:,} records to write" in written.err
    assert f"{counts['flags_raised']:,} opt-out flags to raise" in written.err
    assert written.document["objects"]["contacts"]["written"] == counts["written"] > 0


@pytest.mark.usefixtures("portal")
def test_a_preview_of_another_sync_does_not_count(cli: Cli, answers: Answers) -> None:
    assert cli("sync", "hubspot", "--dry-run", "--limit", "3").code == 0
    answers("")

    assert "No preview of the last 24 hours" in cli("sync", "hubspot").err

    answers("")

    assert "with --limit 3" in cli("sync", "hubspot", "--limit", "3").err


def test_a_preview_that_ended_early_says_so(cli: Cli, portal: Sandbox, answers: Answers) -> None:
    portal.hubspot.daily.limit = 7
    answers("p", "n")

    declined = cli("sync", "hubspot")

    assert declined.code == 2
    assert "It ended early: " in declined.err


@pytest.mark.usefixtures("portal")
def test_a_plan_is_asked_about_with_its_own_numbers(cli: Cli, answers: Answers) -> None:
    plan = cli("sync", "hubspot", "--dry-run", "--out", "plan.json", "--json").document
    asked = answers("y")

    applied = cli("sync", "hubspot", "--apply", "plan.json")

    assert applied.code == 0
    assert asked == ["Go on? [y/N]"]
    assert f"(run {plan['run_id']}):" in applied.err


@pytest.mark.usefixtures("portal")
def test_without_a_terminal_it_takes_a_word_beforehand(cli: Cli) -> None:
    refused = cli("sync", "hubspot")

    assert refused.code == 2
    assert "--yes" in refused.err
    assert not output.err.is_terminal
    assert cli("sync", "hubspot", "--yes").code == 0
