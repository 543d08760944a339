"""A sandbox account and the command line on it: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.apps.cli.app import run
from ringfence.connectors.hubspot import limits
from ringfence.core.clock import SystemClock
from ringfence.sandbox.org_file import OrgFile
from ringfence.sandbox.server import Sandbox
from testkit.account import Account, NewState
from testkit.account_view import NAMES
from testkit.commands import Cli, Result
from testkit.postgres import EMPTY_STORE, ENGINES, TEST_KEY, PostgresServer

PEOPLE = 300


@pytest.fixture(params=sorted(NAMES))
def crm(request: pytest.FixtureRequest) -> str:
    """Give each CRM in turn whose field names the tests know; the conformance suite lets none escape."""
    return str(request.param)


@pytest.fixture
def people() -> int:
    """How many people the sandbox holds."""
    return PEOPLE


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Give each engine that a state may be kept on; outside `.ci/run` the second one to tests marked for it."""
    return str(request.param)


@pytest.fixture
def new_state(engine: str, request: pytest.FixtureRequest) -> Iterator[NewState]:
    """Give the settings of new states on the engine."""
    if engine == "sqlite":
        yield dict
        return

    server: PostgresServer = request.getfixturevalue("postgres")
    with ExitStack() as databases:

        def make() -> dict[str, str]:
            url = databases.enter_context(server.database(EMPTY_STORE))
            return {"RINGFENCE_STATE_URL": url, "RINGFENCE_ENCRYPTION_KEY": TEST_KEY}

        yield make


@pytest.fixture
def org_file() -> OrgFile | None:
    """Give what the accounts are like; None: as most are."""
    return None


@pytest.fixture
def open_account(
    crm: str, people: int, tmp_path: Path, new_state: NewState, org_file: OrgFile | None
) -> Iterator[Callable[[str], Account]]:
    """Open accounts that are alike to the last byte, each on its own servers."""
    now, running = datetime.now(UTC), []

    def open_one(name: str) -> Account:
        sandbox = Sandbox(contacts=people, now=now, org=org_file)
        sandbox.start()
        running.append(sandbox)
        return Account(crm, sandbox, tmp_path / name, new_state=new_state)

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


@pytest.fixture
def asking(people: int, tmp_path: Path) -> Iterator[Callable[..., Account]]:
    """Give accounts that ask these providers, each on its own sandbox."""
    running: list[Sandbox] = []

    def ask(*providers: str) -> Account:
        sandbox = Sandbox(contacts=people, now=datetime.now(UTC), lookups=True)
        sandbox.start()
        running.append(sandbox)
        account = Account("hubspot", sandbox, tmp_path / f"account-{len(running)}")
        account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = json.dumps(providers)
        return account

    yield ask
    for sandbox in running:
        sandbox.stop()
