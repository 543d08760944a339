"""The engine for jobs of each kind of store, by the real clock: a worker really waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringfence.core.clock import SystemClock
from ringfence.core.ports.jobs import JobEngine
from ringfence.core.state.store import Store, open_store
from testkit.jobs import open_engine
from testkit.postgres import key_of


@pytest.fixture
def store(state_url: str) -> Iterator[Store]:
    """Give an empty state store on each of the engines."""
    opened = open_store(state_url, key_of(state_url))
    yield opened
    opened.close()


@pytest.fixture
def engine(store: Store) -> JobEngine:
    """Give the engine of the store."""
    return open_engine(store, SystemClock())
