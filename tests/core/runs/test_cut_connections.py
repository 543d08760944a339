"""A connection to PostgreSQL that is cut in any statement of a sync: an outage, and the same end state afterwards."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import RingfenceError
from ringfence.core.model.caps import Caps
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Provider, make_crm
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer

pytestmark = [
    pytest.mark.slow,
    # The driver warns of the server's cursors that went with their connection.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
EVERY = 3
"""Of so many statements one is tried: all of them take a minute and a half."""


class Cutter:
    """Has the administrator end the connection that is about to carry out a statement, the one of that number."""

    def __init__(self, server: PostgresServer, store: Store, at: int | None = None) -> None:
        self.count = 0
        self._server = server
        self._at = at
        event.listen(store.engine, "before_cursor_execute", self._see)

    def _see(self, connection: Any, _cursor: Any, _statement: str, *_: Any) -> None:
        self.count += 1
        if self.count == self._at:
            pid = connection.connection.driver_connection.info.backend_pid
            self._server.run(f"SELECT pg_terminate_backend({pid}, 5000)")


@pytest.fixture(autouse=True)
def _one_clock(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.core.state.sql.server_now", lambda _connection: clock.now())


def people(clock: SetClock) -> MemoryCrm:
    """Return a CRM in which somebody opted out, and somebody else holds the same number."""
    crm = make_crm(clock)
    crm.put("people", "p1", phone="+1 415 555 0101", optout=True)
    crm.put("people", "p2", phone="+1 415 555 0101", mobile="+1 415 555 0102")
    crm.put("people", "p3", phone="+1 415 555 0103")
    return crm


def sync(crm: MemoryCrm, store: Store, clock: SetClock, provider: Provider) -> None:
    job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, [provider], caps=Caps(max_lookups=1_000))
    run_sync(job, SyncOptions())


def lasting(crm: MemoryCrm) -> dict[str, dict[str, Any]]:
    return {
        id_: {name: value for name, value in row.items() if not name.endswith("last_screened")}
        for id_, row in crm.rows["people"].items()
    }


@pytest.fixture
def unbroken(postgres: PostgresServer, clock: SetClock, make_provider: MakeProvider) -> tuple[Any, int]:
    """Give what an unbroken sync leaves, and how many statements it carries out."""
    crm = people(clock)
    with postgres.database(EMPTY_STORE) as url, closing(open_store(url, TEST_KEY)) as store:
        counted = Cutter(postgres, store)
        sync(crm, store, clock, make_provider())
        return lasting(crm), counted.count


def test_a_connection_that_is_cut_anywhere_loses_nothing(
    postgres: PostgresServer, clock: SetClock, make_provider: MakeProvider, unbroken: tuple[Any, int]
) -> None:
    wanted, statements = unbroken
    ends: set[int] = set()

    for at in range(1, statements + 1, EVERY):
        crm, asked = people(clock), list[str]()
        provider = make_provider(on_question=asked.append)
        with postgres.database(EMPTY_STORE) as url, closing(open_store(url, TEST_KEY)) as store:
            Cutter(postgres, store, at)
            ends.add(_end_of(crm, store, clock, provider))
            clock.advance(seconds=30)
            sync(crm, store, clock, provider)
            outcomes = {run.outcome for run in list_runs(store)}

        assert outcomes <= {RunOutcome.DONE, RunOutcome.STOPPED, RunOutcome.KILLED}, f"cut in statement {at}"
        assert len(asked) == len(set(asked)), f"cut in statement {at}"
        assert _but_for_lost_answers(lasting(crm)) == _but_for_lost_answers(wanted), f"cut in statement {at}"

    assert ends <= {0, 4}
    assert 4 in ends


def _end_of(crm: MemoryCrm, store: Store, clock: SetClock, provider: Provider) -> int:
    try:
        sync(crm, store, clock, provider)
    except RingfenceError as error:
        return error.exit_code
    return 0


def _but_for_lost_answers(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows without what only a provider's answer could say; who must be silent stays in them."""
    told = ("_status", "_reason", "_line_type")
    return {
        id_: {
            name: value
            for name, value in row.items()
            if not name.endswith(told) or row.get(f"{name.rsplit('_', 1)[0]}_status") == "do_not_contact"
        }
        for id_, row in rows.items()
    }
