"""Procrastinate's tables, in a schema of their own beside the state's: made and brought up to date by one process.

Which of its migrations have been applied stands in the comment of the schema, for its own tables do not say.
"""

from __future__ import annotations

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from ringfence.core.errors import StateError
from ringfence.core.state.postgres import lock_schema
from ringfence.core.state.store import Store

_MARK = "Durable jobs of ringfence, by Procrastinate up to migration "

_COMMENT = text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name")
_MAY_USE = text("SELECT has_schema_privilege(CAST(:name AS text), 'USAGE')")
_DENIED = "42501"


def bring_up_to_date(store: Store) -> str:
    """Return the name of the schema of Procrastinate's tables, made or migrated where needed.

    Raises StateError where the role may not, where the tables are newer than this Procrastinate, or a schema of this
    name is something else's.
    """
    newest = _migrations()[-1].name
    with store.transaction() as connection:
        schema = f"{_beside(connection)}_jobs"
        if _applied(connection, schema) == newest:
            _refuse_without_rights(connection, schema)
            return schema

    with store.transaction() as connection:
        lock_schema(connection)
        applied = _applied(connection, schema)
        if applied is None:
            _make(connection, schema)
        elif applied < newest:
            _migrate(connection, schema, applied)
        elif applied > newest:
            raise StateError(
                f"The job tables in the schema {schema} have version {applied}; this ringfence knows up to {newest}.",
                "Install the newer ringfence, with its extra [postgres].",
            )
        _run(connection, f"COMMENT ON SCHEMA \"{schema}\" IS '{_MARK}{newest}'")
    return schema


def _refuse_without_rights(connection: Connection, schema: str) -> None:
    """Raise StateError where the role may not use the schema: its tables would be said not to exist."""
    if not connection.scalar(_MAY_USE, {"name": schema}):
        raise StateError(
            f"The role of the state store may not use the schema {schema}, in which its jobs are kept.",
            f"Have its owner run: GRANT USAGE ON SCHEMA {schema} TO role; GRANT ALL ON ALL TABLES IN SCHEMA {schema} "
            f"TO role; GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO role.",
        )


def _beside(connection: Connection) -> str:
    """Return the name before `_jobs`: several states in one database, each in a schema, keep their jobs apart."""
    current = str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
    return "ringfence" if current == "public" else current


def _applied(connection: Connection, schema: str) -> str | None:
    """Return the last migration that was applied, None where there is no such schema."""
    row = connection.execute(_COMMENT, {"name": schema}).one_or_none()
    if row is None:
        return None
    if not str(row[0] or "").startswith(_MARK):
        raise StateError(
            f"The database has a schema {schema} that is not ringfence's.", "Give ringfence a database of its own."
        )
    return str(row[0]).removeprefix(_MARK)


def _make(connection: Connection, schema: str) -> None:
    try:
        with connection.begin_nested():
            _run(connection, f'CREATE SCHEMA "{schema}"')
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != _DENIED:
            raise
        raise StateError(
            f"The role of the state store may not make the schema {schema}, in which its jobs are kept.",
            "Have an administrator run: GRANT CREATE ON DATABASE name TO role.",
        ) from error
    _enter(connection, schema)
    _run(connection, SchemaManager.get_schema())


def _migrate(connection: Connection, schema: str, applied: str) -> None:
    _enter(connection, schema)
    for file in _migrations():
        if file.name > applied:
            _run(connection, file.read_text("utf-8"))


def _migrations() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _enter(connection: Connection, schema: str) -> None:
    _run(connection, f'SET LOCAL search_path TO "{schema}"')


def _run(connection: Connection, script: str) -> None:
    # Without parameters the driver sends a script of many statements as it is, percent signs included.
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})
