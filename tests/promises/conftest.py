"""A sandbox account and the command line on it: in this process, or in one of its own that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.apps.cli.app import run
from ringfence.connectors.hubspot import limits
from ringfence.core.clock import SystemClock
from ringfence.sandbox.server import Sandbox
from testkit.account import Account
from testkit.account_view import NAMES
from testkit.commands import Cli, Result

PEOPLE = 300


@pytest.fixture(params=sorted(NAMES))
def crm(request: pytest.FixtureRequest) -> str:
    """Give each CRM in turn whose field names the tests know; the conformance suite lets none escape."""
    return str(request.param)


@pytest.fixture
def people() -> int:
    """How many people the sandbox holds."""
    return PEOPLE


@pytest.fixture
def open_account(crm: str, people: int, tmp_path: Path) -> Iterator[Callable[[str], Account]]:
    """Open accounts that are alike to the last byte, each on its own servers."""
    now, running = datetime.now(UTC), []

    def open_one(name: str) -> Account:
        sandbox = Sandbox(contacts=people, now=now)
        sandbox.start()
        running.append(sandbox)
        return Account(crm, sandbox, tmp_path / name)

    yield open_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def account(open_account: Callable[[str], Account]) -> Account:
    """Give one account."""
    return open_account("here")


@pytest.fixture
def command(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command of the account in this process, which is quicker, and does not wait for the search limit."""
    monkeypatch.chdir(account.folder)
    monkeypatch.setattr(limits, "SEARCHES_PER_SECOND", 1_000)

    def call(*words: str) -> Result:
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(list(words))
        told = capsys.readouterr()
        return Result(code, told.out, told.err)

    return call


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses before further tries pass at once; how long they are is tested elsewhere."""
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, _seconds: None)
