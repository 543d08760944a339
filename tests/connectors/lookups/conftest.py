"""One provider on loopback for a module, played anew by each test."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from testkit.provider_server import ProviderServer, open_server


@pytest.fixture(scope="module")
def _served() -> Iterator[ProviderServer]:
    state = ProviderServer()
    with open_server(state) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def server(_served: ProviderServer) -> ProviderServer:
    """A provider that has been asked nothing yet."""
    _served.sent.clear()
    return _served
