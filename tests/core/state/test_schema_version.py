"""The schema of a state store: made, migrated, refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ringfence.core.errors import StateError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import Cursors, register_org
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.schema_version import HEAD
from ringfence.core.state.store import Store, open_store
from testkit.postgres import PostgresServer

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ORG = Org("memory", "1", "One", production=False)
FLAGS = (OptOutFlag("optout", (True,)),)
SHAPES = {name: ObjectShape(name, (Slot("phone", {}),), FLAGS) for name in ("people", "firms")}
MIGRATIONS = Path(__file__).resolve().parents[3] / "core" / "state" / "migrations"


def url(path: Path) -> str:
    return f"sqlite:///{path}/state.db"


def columns(engine: sa.Engine) -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """Return type, nullability and key of every column the database has."""
    seen = sa.inspect(engine)

    return {
        table: {
            column["name"]: (
                str(column["type"]),
                bool(column["nullable"]),
                column["name"] in seen.get_pk_constraint(table)["constrained_columns"],
            )
            for column in seen.get_columns(table)
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def migrate(engine: sa.Engine, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def rules(engine: sa.Engine) -> dict[str, object]:
    """Return the indexes, foreign keys, unique columns and the form of every table."""
    seen = sa.inspect(engine)
    texts: dict[str, str] = {}
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            texts = dict(connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())

    return {
        table: (
            sorted((index["name"], index["column_names"], index["unique"]) for index in seen.get_indexes(table)),
            sorted((key["constrained_columns"], key["referred_table"]) for key in seen.get_foreign_keys(table)),
            sorted(unique["column_names"] for unique in seen.get_unique_constraints(table)),
            "WITHOUT ROWID" in texts.get(table, ""),
        )
        for table in seen.get_table_names()
    }


@pytest.fixture
def empty_database(state_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database of the same engine, in which nothing is."""
    if state_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/migrated.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def test_a_new_store_has_what_the_migrations_make(store: Store, empty_database: str) -> None:
    migrated = sa.create_engine(empty_database)
    migrate(migrated, "head")

    assert columns(store.engine) == columns(migrated)
    assert rules(store.engine) == rules(migrated)

    migrated.dispose()


def test_the_newest_migration_is_the_version_the_code_names(store: Store) -> None:
    files = sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))

    assert files[-1] == HEAD

    with store.transaction() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD


def test_a_store_of_the_first_version_is_brought_up_with_all_it_holds(tmp_path: Path) -> None:
    old = sa.create_engine(url(tmp_path))
    migrate(old, "0001")
    with old.begin() as connection:
        connection.execute(sa.text("INSERT INTO orgs (id, key, name, production) VALUES (1, 'memory:1', 'One', 0)"))
        connection.execute(
            sa.text("INSERT INTO cursors VALUES (1, 'people', 'where we were', '2026-11-02 09:00:00.000000')")
        )
        connection.execute(
            sa.text(
                "INSERT INTO runs (id, crm, org_id, dry_run, started_at, outcome, options)"
                " VALUES ('r1', 'memory', 1, 0, '2026-11-02 09:00:00.000000', 'done', '{}')"
            )
        )
    old.dispose()

    for _ in range(2):
        opened = open_store(url(tmp_path))

        assert Cursors(opened, register_org(opened, ORG), SHAPES).read() == {"people": "where we were"}
        assert [run.id for run in list_runs(opened)] == ["r1"]
        opened.close()


def test_questions_to_people_are_kept_where_they_no_longer_need_a_record(empty_database: str) -> None:
    old = sa.create_engine(empty_database)
    migrate(old, "0023")
    asked = (
        "INSERT INTO review_items"
        " (id, org_id, reason, object, record_id, channel, number_key, since, raised_again, payload)"
        " VALUES (7, 1, 'flag_cleared', 'people', 'p1', 'all', :key, '2026-11-02 09:00:00', :no, :key)"
    )
    with old.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO orgs (id, key, name, production) VALUES (1, 'memory:1', 'One', :no)"), {"no": False}
        )
        connection.execute(sa.text(asked), {"key": b"0123456789abcdef", "no": False})

    migrate(old, "head")
    with old.begin() as connection:
        row = connection.execute(sa.text("SELECT id, org_id, record_id, number_key, ledger FROM review_items")).one()
        connection.execute(sa.text(asked.replace("(7, 1,", "(8, NULL,")), {"key": b"0123456789abcdef", "no": False})
    old.dispose()

    assert (*row[:3], bytes(row[3]), row[4]) == (7, 1, "p1", b"0123456789abcdef", None)


DIE_MAKING_A_STORE = """
import os, sys
import sqlalchemy as sa
from ringfence.core.state.store import open_store

def die(connection, cursor, statement, *_):
    if statement.strip().startswith("CREATE TABLE runs"):
        os._exit(9)

sa.event.listen(sa.engine.Engine, "after_cursor_execute", die)
open_store(sys.argv[1])
"""


def test_a_new_store_whose_process_dies_half_way_is_made_again(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIE_MAKING_A_STORE, url(tmp_path)], check=False)

    assert died.returncode == 9
    opened = open_store(url(tmp_path))
    assert register_org(opened, ORG) == 1
    opened.close()


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    open_store(url(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    before = (tmp_path / "state.db").read_bytes()

    with pytest.raises(StateError, match=f"version 9999; this ringfence knows up to {HEAD}") as caught:
        open_store(url(tmp_path))
    assert "newer" in caught.value.remedy
    assert caught.value.exit_code == 2
    assert (tmp_path / "state.db").read_bytes() == before


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")

    with pytest.raises(StateError, match="tables of something else"):
        open_store(url(tmp_path))

    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
