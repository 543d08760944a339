"""A command loads what it works with, and little more: who looks a number up waits for no server and no back-ups."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from ringfence.apps.cli.app import app
from ringfence.apps.cli.lazy import LazyCommands

CHILD = """
import json, sys
from ringfence.apps.cli.app import run
code = run(sys.argv[1:])
print("\\n" + json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""

NEVER = (
    "fastapi",
    "starlette",
    "uvicorn",
    "prometheus_client",
    "lxml",
    "requests",
    "urllib3",
    "jinja2",
    "babel",
    "charset_normalizer",
    "ringfence.core.runs.sync",
    "ringfence.core.state.backup",
    "ringfence.core.state.purge",
    "ringfence.core.state.rotation",
    "ringfence.connectors.spreadsheet.registers",
    "ringfence.connectors.spreadsheet.screening",
)
"""What serves, syncs or keeps house, and what it brings with it."""

STATE_AND_SETTINGS = ("sqlalchemy", "pydantic_settings", "ringfence.core.state.store", "ringfence.apps.wiring")


def loaded(folder: Path, *words: str) -> tuple[int, set[str]]:
    """Return how a command ended in a process of its own, and which modules that has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["code"], set(told["modules"])


@pytest.mark.parametrize(
    ("words", "code", "never"),
    [
        (["--version"], 0, (*NEVER, *STATE_AND_SETTINGS)),
        (["explain", "unreachable"], 0, (*NEVER, *STATE_AND_SETTINGS)),
        (["lookup", "+442079460018"], 0, NEVER),
        pytest.param(["suppress", "check", "+442079460018"], 0, NEVER, marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_command_loads_nothing_of_the_others(
    tmp_path: Path, words: list[str], code: int, never: Sequence[str]
) -> None:
    ended, modules = loaded(tmp_path, *words)

    assert ended == code
    assert "ringfence.apps.cli.output" in modules
    assert modules & set(never) == set()


def test_every_command_is_found_under_its_own_words() -> None:
    def look(group: TyperGroup) -> int:
        assert all(command.name == word for word, command in group.commands.items())
        return sum(look(each) if isinstance(each, TyperGroup) else 1 for each in group.commands.values())

    assert look(root()) > len(root().commands)


def test_a_word_that_no_command_has_loads_none() -> None:
    commands = root().commands
    assert isinstance(commands, LazyCommands)

    assert commands.get("synk") is None
    assert list(commands)[:2] == ["demo", "check"]
    assert all(isinstance(source, str) for source in commands.data.values())


def root() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group
