"""Procrastinate's tables in a schema of their own: made once, brought up to date, or in plain words why not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from ringfence.connectors.procrastinate import tables
from ringfence.connectors.procrastinate.engine import ProcrastinateEngine
from ringfence.connectors.procrastinate.tables import bring_up_to_date
from ringfence.core.clock import SystemClock
from ringfence.core.errors import StateError
from ringfence.core.ports.jobs import JobRequest, Tally
from ringfence.core.state.store import Store, open_store
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer

OLD = "03.03.00_01_pre_priority_lock_fetch_job.sql"
"""The last migration of an earlier Procrastinate."""


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of an empty state store on the server."""
    with postgres.database(EMPTY_STORE) as database:
        yield database


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Give an empty state store on the server."""
    with closing(open_store(url, TEST_KEY)) as opened:
        yield opened


def run(store: Store, statement: str) -> None:
    with store.transaction() as connection:
        connection.exec_driver_sql(statement)


def test_the_state_and_the_jobs_keep_their_tables_apart(store: Store) -> None:
    before = sa.inspect(store.engine).get_table_names()

    assert bring_up_to_date(store) == "ringfence_jobs"

    inspector = sa.inspect(store.engine)
    assert inspector.get_table_names() == before
    assert "procrastinate_jobs" in inspector.get_table_names("ringfence_jobs")


def test_of_several_that_come_at_once_one_makes_the_tables(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = [open_store(url, TEST_KEY) for _ in range(4)]
    made: list[str] = []
    make = tables._make
    monkeypatch.setattr(tables, "_make", lambda connection, name: (made.append(name), make(connection, name)))

    threads = [threading.Thread(target=bring_up_to_date, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for store in stores:
        store.close()

    assert made == ["ringfence_jobs"]


def test_tables_of_an_earlier_version_are_brought_up_to_date_with_the_jobs_in_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them = tables._migrations()
    with monkeypatch.context() as earlier:
        earlier.setattr(tables, "_migrations", lambda: [file for file in all_of_them if file.name <= OLD])
        run(store, "CREATE SCHEMA ringfence_jobs")
        run(store, f"COMMENT ON SCHEMA ringfence_jobs IS '{tables._MARK}00'")
        bring_up_to_date(store)
        engine = ProcrastinateEngine(store, SystemClock())
        engine.enqueue([JobRequest("task")])

    again = ProcrastinateEngine(store, SystemClock())

    assert again.work({"task": lambda _run: None}, ["default"], until_empty=True) == Tally(done=1)
    assert sa.inspect(store.engine).has_table("procrastinate_jobs", "ringfence_jobs")


def test_tables_of_a_newer_version_are_left_alone(store: Store) -> None:
    bring_up_to_date(store)
    run(store, f"COMMENT ON SCHEMA ringfence_jobs IS '{tables._MARK}99.00'")

    with pytest.raises(StateError, match=r"have version 99\.00; this ringfence knows up to") as caught:
        bring_up_to_date(store)
    assert "newer ringfence" in caught.value.remedy


def test_a_schema_of_something_else_is_left_alone(store: Store) -> None:
    run(store, "CREATE SCHEMA ringfence_jobs")

    with pytest.raises(StateError, match="a schema ringfence_jobs that is not ringfence's"):
        bring_up_to_date(store)


def test_a_role_that_may_not_make_the_schema_is_told_what_to_ask_for(store: Store, url: str) -> None:
    run(store, "CREATE ROLE narrow LOGIN")
    run(store, "GRANT ALL ON ALL TABLES IN SCHEMA public TO narrow")
    narrow = make_url(url).set(username="narrow").render_as_string(hide_password=False)

    with (
        closing(open_store(narrow, TEST_KEY)) as theirs,
        pytest.raises(StateError, match="may not make the schema ringfence_jobs") as caught,
    ):
        bring_up_to_date(theirs)
    run(store, "DROP OWNED BY narrow")
    run(store, "DROP ROLE narrow")

    assert "GRANT CREATE ON DATABASE" in caught.value.remedy


def test_a_role_that_may_not_use_the_schema_is_told_what_to_ask_for(store: Store, url: str) -> None:
    bring_up_to_date(store)
    run(store, "CREATE ROLE narrow LOGIN")
    run(store, "GRANT ALL ON ALL TABLES IN SCHEMA public TO narrow")
    narrow = make_url(url).set(username="narrow").render_as_string(hide_password=False)

    with closing(open_store(narrow, TEST_KEY)) as theirs, pytest.raises(StateError, match="may not use") as caught:
        bring_up_to_date(theirs)
    run(store, "DROP OWNED BY narrow")
    run(store, "DROP ROLE narrow")

    assert "GRANT USAGE ON SCHEMA ringfence_jobs" in caught.value.remedy


def test_states_in_schemas_of_their_own_keep_their_jobs_apart(store: Store, url: str) -> None:
    run(store, "CREATE SCHEMA acme")
    theirs = make_url(url).update_query_dict({"options": "-csearch_path=acme"}).render_as_string(hide_password=False)
    with closing(open_store(theirs, TEST_KEY)) as other:
        one, two = ProcrastinateEngine(store, SystemClock()), ProcrastinateEngine(other, SystemClock())
        one.enqueue([JobRequest("task")])

        assert (one.schema, two.schema) == ("ringfence_jobs", "acme_jobs")
        assert two.list() == []
        assert two.work({}, ["default"], until_empty=True) == Tally()
