"""The schema version of a state store: new stores are made with the newest one, older stores are migrated to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ..errors import StateError
from . import schema
from .postgres import OPEN_S, connect, is_postgres, lock_schema

HEAD = "0032"
"""The schema version this code works with: the newest migration."""


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables of a new store, or migrate those of an older one; each as a whole or not at all.

    Of several processes that come at once one does it, and the others wait. Raises StateError when the store is newer
    than this code, or the database holds tables of something else.
    """
    with connect(engine, OPEN_S) as connection:
        version, _ = _read_version(connection)
    if version == HEAD:
        return

    with _whole_or_nothing(engine) as connection:
        version, is_empty = _read_version(connection)
        if version is not None:
            _migrate(connection, version)
        elif is_empty:
            _make_tables(connection)
        else:
            raise StateError(
                "The state store's database holds tables of something else.", "Give ringfence a database of its own."
            )


def is_up_to_date(connection: Connection) -> bool:
    """Return whether an open store still has the schema version that this code works with."""
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def _read_version(connection: Connection) -> tuple[str | None, bool]:
    """Return the schema version, None where there is none, and whether the database has no tables at all."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        return None, not tables
    return connection.scalar(text("SELECT version_num FROM alembic_version")), False


def _migrate(connection: Connection, version: str) -> None:
    if version == HEAD:
        return  # another process has come first
    refuse_newer(version)

    # Imported here because it costs a tenth of a second that a store of today's version need not pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def refuse_newer(version: str) -> None:
    """Raise StateError for a schema version that this code does not know."""
    if version > HEAD:
        raise StateError(
            f"The state store has schema version {version}; this ringfence knows up to {HEAD}.",
            "Install the newer ringfence.",
        )


def _make_tables(connection: Connection) -> None:
    """Make a new store as the migrations would, in one go."""
    schema.metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": HEAD})


@contextmanager
def _whole_or_nothing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in whose transaction tables may be made and dropped.

    SQLite's driver begins a transaction by itself only for rows: without this one, a process that dies half-way would
    leave a store that no version can open.
    """
    with connect(engine, OPEN_S) as connection, connection.begin():
        if is_postgres(engine.url):
            lock_schema(connection)
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
