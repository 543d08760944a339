"""One provider on loopback for a module, played anew by each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testkit.provider_server import ProviderServer, served_provider


@pytest.fixture(scope="module")
def _served() -> Iterator[ProviderServer]:
    with served_provider() as state:
        yield state


@pytest.fixture
def server(_served: ProviderServer) -> ProviderServer:
    """A provider that has been asked nothing yet."""
    _served.sent.clear()
    return _served
