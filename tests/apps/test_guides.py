"""Every command of the guides is carried out, in its order, against the sandbox; or it is said why not."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.sandbox.server import Sandbox
from testkit.agency import Agency, write_account
from testkit.documents import shown_commands

from .conftest import Cli

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
SET_UP = "make "
"""Targets of the Makefile, which .ci/run carries out."""


ALLOWED = {"check": {0, 3}}
"""Exit codes that a guide expects: ``check`` says before the set-up what is missing."""


@pytest.fixture
def sandbox(guide: Path) -> Iterator[Sandbox]:
    """Accounts as a reader of the guide has them: only the engineer's is set up already."""
    with Sandbox(contacts=200, bare=guide.stem != "data-engineer") as running:
        running.hubspot.searches.limit = 1000
        yield running


@pytest.fixture
def accounts(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The accounts of the guide for agencies, set up but for the one that the guide sets up."""
    if guide.stem != "agency":
        yield
        return
    with Agency(["globex"], ["umbrella"]) as ready, Agency(["acme"], bare=True) as bare:
        folder = ready.write_files(tmp_path / "accounts")
        write_account(folder, "acme", bare.variables("acme"))
        monkeypatch.setenv("RINGFENCE_ACCOUNTS", str(folder))
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("settings", "accounts")
@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_commands_of_a_guide_work(guide: Path, cli: Cli) -> None:
    shutil.copytree(ROOT / "docs" / "samples", "docs/samples")
    carried_out = []
    for command, why_not in shown_commands(guide):
        if why_not or command.startswith(SET_UP):
            continue
        program, *words = shlex.split(command)
        assert program == "ringfence", command

        result = cli(*words)

        assert result.code in ALLOWED.get(words[0], {0}), f"{command}: {result.err}{result.out}"
        carried_out.append(words[0])

    assert {"sync"} <= set(carried_out)
