"""A running service over real sockets, one for a module, whose state is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.web import app as web
from ringfence.apps.wiring import Wiring
from testkit.served import RunningService, running_service

from . import odd_routes


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Wiring:
    """Give a wiring for a state store of its own, and no CRM."""
    state: Path = tmp_path_factory.mktemp("served") / "state.db"
    return Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{state}"}))


@pytest.fixture(scope="module")
def served(wiring: Wiring) -> Iterator[RunningService]:
    """Give a service that works."""
    with running_service(wiring) as running:
        yield running


@pytest.fixture(scope="module")
def odd(wiring: Wiring) -> Iterator[RunningService]:
    """Give a service that has the odd routes too."""
    web.ROUTERS.append(odd_routes.router)
    try:
        with running_service(wiring, works=False, rate=200) as running:
            yield running
    finally:
        web.ROUTERS.remove(odd_routes.router)
