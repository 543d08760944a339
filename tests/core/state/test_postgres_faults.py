"""What a PostgreSQL server may refuse or break off in the middle of the work: said in plain words, and nothing lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import make_url

from ringfence.core.errors import RingfenceError, StateError, StoppedError
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import list_orgs, register_org
from ringfence.core.state.pending import Pending, PendingReason, PendingRow
from ringfence.core.state.store import Store, open_store
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ORG = Org("memory", "1", "One", production=False)
ROW = PendingRow("people", "p1", PendingReason.FAILED, "RULE", "no")


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of an empty store."""
    with postgres.database(EMPTY_STORE) as made:
        yield made


@pytest.fixture
def store(url: str, postgres: PostgresServer) -> Iterator[Store]:
    """Give the store, whose connections get settings that are made later."""
    opened = open_store(url, TEST_KEY)
    register_org(opened, ORG)
    opened.engine.dispose()
    yield opened
    opened.close()


def let(server: PostgresServer, url: str, setting: str) -> None:
    """Give a setting to all connections to the database that are made from now on."""
    server.run(f"ALTER DATABASE {make_url(url).database} SET {setting}")


def refusal(store: Store, statement: str) -> RingfenceError:
    """Return the error of a statement that the server does not carry out."""
    with pytest.raises(RingfenceError) as caught, store.transaction() as connection:
        connection.exec_driver_sql(statement)
    return caught.value


def test_a_standby_can_be_looked_at_and_says_that_it_takes_no_changes(
    store: Store, url: str, postgres: PostgresServer
) -> None:
    let(postgres, url, "default_transaction_read_only = on")

    assert list_orgs(store) == [(1, False)]
    with pytest.raises(StateError, match="takes no changes") as caught:
        register_org(store, ORG)

    assert caught.value.exit_code == 2
    assert "primary" in caught.value.remedy


def test_what_takes_longer_than_the_server_allows_is_no_fault_of_ours(
    store: Store, url: str, postgres: PostgresServer
) -> None:
    let(postgres, url, "statement_timeout = '20ms'")

    error = refusal(store, "SELECT pg_sleep(5)")

    assert isinstance(error, StoppedError)
    assert "statement timeout" in error.message
    assert "statement_timeout" in error.remedy


@pytest.mark.parametrize("code", ["53100", "53200", "57P01", "40P01"])
def test_a_full_disk_of_the_server_and_what_else_passes_is_an_outage(store: Store, code: str) -> None:
    error = refusal(store, f"DO $$ BEGIN RAISE EXCEPTION 'said by the server' USING ERRCODE = '{code}'; END $$")

    assert error.exit_code == 4
    assert "said by the server" in error.message
    assert "ringfence" not in error.remedy
    assert ("disk" in error.remedy) is (code == "53100")


def test_a_rehearsal_may_wait_for_longer_than_the_server_lets_a_transaction_idle(
    store: Store, url: str, postgres: PostgresServer
) -> None:
    let(postgres, url, "idle_in_transaction_session_timeout = '20ms'")

    with store.rehearsal() as rehearsed:
        time.sleep(0.1)
        Pending(rehearsed, 1, "dry").put([ROW], NOW)

        assert Pending(rehearsed, 1, "dry").count() == {"failed": 1}


def test_a_rehearsal_leaves_nothing_to_whom_a_pooler_gives_its_session(store: Store, url: str) -> None:
    beside = open_store(url, TEST_KEY)

    with store.rehearsal() as rehearsed:
        Pending(rehearsed, 1, "dry").put([ROW], NOW)
        # A pooler in transaction mode hands the session on at each commit: so there is none before the end.
        with beside.transaction() as connection:
            committed = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
            assert connection.exec_driver_sql(committed).scalar() == 0

    beside.close()


def test_a_rehearsal_whose_connection_is_cut_never_works_on_the_real_tables(
    store: Store, url: str, postgres: PostgresServer
) -> None:
    with store.rehearsal() as rehearsed:
        postgres.cut_off(url)
        for _ in range(2):
            with pytest.raises(StoppedError):
                Pending(rehearsed, 1, "dry").put([ROW], NOW)

    assert Pending(store, 1, "real").count() == {}
