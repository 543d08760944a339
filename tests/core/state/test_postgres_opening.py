"""Opening a state store on PostgreSQL: once whoever comes first, and in plain words where it cannot be opened."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from ringfence.apps.remedies import word
from ringfence.core.errors import ErrorCode, RingfenceError, SettingsError, StateError, StoppedError
from ringfence.core.state.schema_version import HEAD
from ringfence.core.state.store import open_store
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer

OTHER_KEY = base64.b64encode(bytes(32)).decode()
OPEN = """
import sys
from ringfence.core.state.store import open_store
print(open_store(*sys.argv[1:]).keyring.name)
"""


@pytest.fixture
def new_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of a database in which nothing is."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def store_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of a store that is there."""
    with postgres.database(EMPTY_STORE) as url:
        yield url


def test_processes_that_start_at_once_make_one_store(new_url: str) -> None:
    command = [sys.executable, "-c", OPEN, new_url, TEST_KEY]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]

    told = [other.communicate(timeout=90) for other in others]

    assert [err for _, err in told] == ["", ""]
    assert len({out for out, _ in told}) == 1


def test_threads_that_start_at_once_make_one_store(new_url: str) -> None:
    ready, names, lock = threading.Barrier(6), [], threading.Lock()

    def start() -> None:
        ready.wait()
        opened = open_store(new_url, TEST_KEY)
        with lock:
            names.append(opened.keyring.name)
        opened.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(names) == 6
    assert len(set(names)) == 1


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_whatever_driver_the_address_names_the_one_that_is_tested_is_taken(store_url: str, scheme: str) -> None:
    opened = open_store(store_url.replace("postgresql+psycopg", scheme), TEST_KEY)

    assert opened.engine.url.drivername == "postgresql+psycopg"

    opened.close()


def test_opening_leaves_no_lock_that_a_pooler_would_hand_on(store_url: str) -> None:
    opened = open_store(store_url, TEST_KEY)

    with opened.transaction() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0

    opened.close()


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    error = refusal("postgresql://somebody@localhost/somewhere", TEST_KEY)

    assert error.exit_code == 2
    assert "pip install 'ringfence[postgres]'" in word(error)[1]


def test_without_an_encryption_key_it_is_said_how_to_make_one(store_url: str) -> None:
    error = refusal(store_url, None)

    assert error.code is ErrorCode.ENCRYPTION_KEY_MISSING
    assert error.exit_code == 2
    assert "RINGFENCE_ENCRYPTION_KEY is not set" in word(error)[0]
    assert "os.urandom(32)" in word(error)[1]


def test_a_process_with_another_key_is_kept_out(store_url: str) -> None:
    error = refusal(store_url, OTHER_KEY)

    assert error.code is ErrorCode.ENCRYPTION_KEY_MISMATCH
    assert error.exit_code == 2


def test_a_newer_store_is_left_alone(store_url: str) -> None:
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    error = refusal(store_url, TEST_KEY)

    assert f"version 9999; this ringfence knows up to {HEAD}" in error.message
    assert error.exit_code == 2


def test_a_database_of_something_else_is_left_alone(new_url: str) -> None:
    engine = sa.create_engine(new_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))

    assert "tables of something else" in refusal(new_url, TEST_KEY).message

    assert sa.inspect(engine).get_table_names() == ["theirs"]
    engine.dispose()


@pytest.fixture
def walled(postgres: PostgresServer, new_url: str) -> Iterator[str]:
    """Give the URL of an empty database for a role that needs a password and may make no tables."""
    postgres.run("CREATE ROLE walled LOGIN PASSWORD 'right'")
    postgres.admit("local all walled scram-sha-256")
    yield make_url(new_url).set(username="walled", password="right").render_as_string(hide_password=False)
    postgres.run("DROP ROLE walled")


def test_a_wrong_password_a_missing_one_and_missing_rights_are_told_apart(walled: str) -> None:
    url = make_url(walled)
    wrong = url.set(password="secret-that-is-wrong").render_as_string(hide_password=False)
    without = url._replace(password=None).render_as_string(hide_password=False)

    told = {name: refusal(address, TEST_KEY) for name, address in (("wrong", wrong), ("no", without), ("", walled))}

    assert {error.exit_code for error in told.values()} == {2}
    assert "password authentication failed" in told["wrong"].message
    assert "no password supplied" in told["no"].message
    assert "permission denied" in told[""].message
    assert all("rights" in error.remedy for error in told.values())
    assert not any("secret-that-is-wrong" in error.message or "CREATE TABLE" in str(error) for error in told.values())


@pytest.mark.parametrize(("part", "told"), [({"database": "absent"}, "absent"), ({"username": "nobody"}, "nobody")])
def test_a_wrong_name_is_told(store_url: str, part: dict[str, str], told: str) -> None:
    error = refusal(make_url(store_url).set(**part).render_as_string(hide_password=False), TEST_KEY)

    assert isinstance(error, StateError)
    assert error.exit_code == 2
    assert f'"{told}" does not exist' in error.message


def test_a_server_that_is_not_there_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.core.state.schema_version.OPEN_S", 0.2)

    error = refusal("postgresql://somebody:secret@127.0.0.1:9/somewhere", TEST_KEY)

    assert isinstance(error, StoppedError)
    assert error.exit_code == 4
    assert "127.0.0.1:9/somewhere cannot be reached" in error.message
    assert "secret" not in error.message


def refusal(url: str, key: str | None) -> RingfenceError:
    """Return the error with which the store cannot be opened."""
    with pytest.raises((StateError, SettingsError, StoppedError)) as caught:
        open_store(url, key)
    return caught.value
