"""The schema version of a state store: new stores are made with the newest one, older stores are migrated to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ..errors import StateError
from . import schema

HEAD = "0007"
"""The schema version this code works with: the newest migration."""


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables of a new store, or migrate those of an older one; each as a whole or not at all.

    Raises StateError when the store is newer than this code, or the database holds tables of something else.
    """
    version, is_empty = _read_version(engine)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise StateError(
            f"The state store has schema version {version}; this ringfence knows up to {HEAD}.",
            "Install the newer ringfence.",
        )

    if version is not None:
        _migrate(engine)
    elif is_empty:
        _make_tables(engine)
    else:
        raise StateError(
            "The state store's database holds tables of something else.", "Give ringfence a database of its own."
        )


def _read_version(engine: Engine) -> tuple[str | None, bool]:
    """Return the schema version, None where there is none, and whether the database has no tables at all."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if "alembic_version" not in tables:
            return None, not tables
        return connection.scalar(text("SELECT version_num FROM alembic_version")), False


def _migrate(engine: Engine) -> None:
    # Imported here because it costs a tenth of a second that a store of today's version need not pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _whole_or_nothing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _make_tables(engine: Engine) -> None:
    """Make a new store as the migrations would, in one go."""
    with _whole_or_nothing(engine) as connection:
        schema.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": HEAD})


@contextmanager
def _whole_or_nothing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in whose transaction tables may be made and dropped.

    SQLite's driver begins a transaction by itself only for rows: without this one, a process that dies half-way would
    leave a store that no version can open.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
