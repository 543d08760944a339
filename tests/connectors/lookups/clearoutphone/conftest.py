"""ClearoutPhone on loopback, and a second host that may hold its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import pytest

from ringfence.apps.registry import lookup_plugins
from ringfence.core.ports.lookup import OrderingLookup
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.provider_server import Answering, ProviderServer, served_provider

from .orders import Connect, Orders


@pytest.fixture
def connect(server: ProviderServer, clock: SetClock) -> Iterator[Connect]:
    """Give what connects to a provider that answers so; further settings by name."""
    opened: list[OrderingLookup] = []

    def make(answering: Answering, *, patience: Callable[[], float] = lambda: inf, **settings: Any) -> OrderingLookup:
        server.answering = answering
        if isinstance(answering, Orders) and answering.place is None:
            answering.place = server.url
        plugin = lookup_plugins()["clearoutphone"]
        given = plugin.settings(api_token="very-secret", base_url=server.url, **settings)
        lookup = plugin.connect(given, Services(clock, patience=patience))
        assert isinstance(lookup, OrderingLookup)
        opened.append(lookup)
        return lookup

    yield make
    for lookup in opened:
        lookup.close()


@pytest.fixture
def elsewhere() -> Iterator[ProviderServer]:
    """Give a second host, which is not the provider's API."""
    with served_provider() as state:
        yield state
