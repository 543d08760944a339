"""A running service over real sockets, one for a module, whose state is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from testkit.served import RunningService, running_service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service that works with a state store of its own, and no CRM."""
    state: Path = tmp_path_factory.mktemp("served") / "state.db"
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{state}"}))
    with running_service(wiring) as running:
        yield running
