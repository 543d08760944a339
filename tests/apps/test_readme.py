"""Every command of the README is carried out, in its order, against the sandbox."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from testkit.documents import shown_commands

from .conftest import Cli

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("make ", "uv ", "python3 ", ".venv/bin/pip ", ".venv/bin/pytest", ".venv/bin/ringfence sandbox")
"""Commands that .ci/run carries out, and the sandbox, which is running already."""


def commands() -> list[str]:
    return [command.line for command in shown_commands(ROOT / "README.md") if not command.why_not_run]


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_the_commands_of_the_readme_work(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("contacts.csv").write_text("name,phone,country\nAda,020 7946 0018,GB\n", encoding="utf-8")
    carried_out = []
    for command in commands():
        if command.startswith(ELSEWHERE):
            continue
        words = shlex.split(command)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, value)
            continue
        assert Path(words[0]).name == "ringfence", command
        result = cli(*words[1:])
        assert result.code == 0, f"{command}: {result.err}"
        carried_out.append(words[1])

    assert {"check", "sync", "runs", "screen", "lookup", "demo"} <= set(carried_out)


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word.split()[1] for word in commands() if word.startswith("make ")}
    named |= set(re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text(encoding="utf-8")))

    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_of_the_readme_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
