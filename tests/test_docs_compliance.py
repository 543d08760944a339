"""What the pages for compliance, security and training say is there: clocks, commands, tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from ringfence.apps.cli import app as command_line

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("compliance", "security", "team")
CLOCKS = [
    (file["jurisdiction"], clock)
    for path in sorted((ROOT / "mappings" / "clocks").glob("*.yaml"))
    for file in [yaml.safe_load(path.read_text(encoding="utf-8"))]
    for clock in file["clocks"]
]


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """Return the cells of every row of every table."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("jurisdiction", "clock"), CLOCKS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_clock_stands_there_with_its_days_its_date_and_its_confidence(jurisdiction: str, clock: Any) -> None:
    name = clock["name"]

    (row,) = [row for row in rows(page("compliance")) if row[0] == jurisdiction and row[1].startswith(f"`{name}`")]

    told = f"{row[2]} {row[3]}"
    for key in ("days", "from", "until"):
        assert str(clock.get(key, "")) in told, key
    assert row[5] == clock["confidence"]


def test_clocks_that_are_there_no_more_are_not_told() -> None:
    told = {(row[0], row[1].split("`")[1]) for row in rows(page("compliance")) if re.match(r"`[a-z-]+`: ?", row[1])}

    assert {each for each in told if len(each[0]) == 2} <= {(where, clock["name"]) for where, clock in CLOCKS}


def test_every_promise_of_security_names_a_test() -> None:
    promised = [row for row in rows(page("security").partition("and the test for it")[2]) if len(row) == 3][1:]

    assert len(promised) > 20
    assert [row[0] for row in promised if "`tests/" not in row[2]] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_a_page_names_is_there(name: str) -> None:
    groups = typer.main.get_command(command_line.app)
    assert isinstance(groups, TyperGroup)

    for group, command in re.findall(r"`(?:ringfence )?(suppress|state|audit) ([a-z-]+)", page(name)):
        there = groups.commands[group]
        assert isinstance(there, TyperGroup)
        assert command in there.commands, f"{group} {command}"
