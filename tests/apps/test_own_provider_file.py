"""A customer's own lookup provider file with a mistake in it: every command that needs it says so and stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_MAPPINGS", "own")


@pytest.mark.parametrize("command", [("check",), ("sync", "hubspot", "--yes"), ("lookup", "+14155550132")])
def test_a_broken_file_stops_the_command(cli: Any, command: tuple[str, ...]) -> None:
    Path("own/providers").mkdir(parents=True)
    Path("own/providers/mine.yaml").write_text("name: mine\nrequst: {}\n", "utf-8")

    refused = cli(*command)

    assert refused.code == 2
    assert "mine.yaml" in refused.err
    assert "did you mean 'request'" in refused.err
