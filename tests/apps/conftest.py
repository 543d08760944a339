"""The command line as a user has it: a folder of one's own, settings in the environment, a sandbox to talk to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.cli.app import run
from ringfence.sandbox.server import Sandbox


@dataclass
class Result:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*words: str) -> Result:
        capsys.readouterr()
        code = run(list(words))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=400) as running:
        # The command line runs on real time here; the limits would only make the tests slow.
        running.hubspot.searches.limit = 1000
        running.twilio.window.limit = 10_000
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = sandbox.settings()
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def state_bytes() -> Callable[[], bytes]:
    """Everything the state has on disk, its write-ahead log included."""

    def read() -> bytes:
        with sqlite3.connect("ringfence.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return Path("ringfence.db").read_bytes()

    return read
