"""Ctrl-C: a message, one JSON document where one was asked for, exit code 130, and a run that goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.core.runs.batches import BatchProcessor

from .conftest import Cli


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C come when the first batch is about to be worked on; return how to end that."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BatchProcessor, "process", stop)
        yield patch.undo


@pytest.mark.usefixtures("settings")
def test_ctrl_c_says_that_the_run_can_go_on(cli: Cli, interrupted: Callable[[], None]) -> None:
    broken_off = cli("sync", "hubspot")
    assert broken_off.code == 130
    assert "run again to go on" in broken_off.err

    interrupted()
    assert cli("sync", "hubspot").code == 0
    assert [run["outcome"] for run in cli("runs", "list", "--json").document["runs"]] == ["done", "interrupted"]


@pytest.mark.usefixtures("settings", "interrupted")
def test_ctrl_c_leaves_one_json_document(cli: Cli) -> None:
    broken_off = cli("sync", "hubspot", "--json")

    assert broken_off.code == 130
    assert broken_off.document["exit_code"] == 130
