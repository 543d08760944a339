"""A state store on PostgreSQL: its engine, which of its faults pass by themselves, and what many rows need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from ..errors import ErrorCode, SettingsError

DRIVER = "postgresql+psycopg"
"""The one driver that is tested; ``postgresql://`` stands for it."""

CONNECT_S = 10
"""How long one attempt to connect may take, in seconds."""

RECONNECT_S = 30
"""How long a server that is away is waited for, in seconds: as long as a restart takes."""

COPY_FROM = 1_000
"""Rows from which a ``COPY`` is faster than single inserts."""

_SCHEMA_LOCK = 0x52_46_53_43
"""A number of our own, under which the schema is made and changed by one process at a time."""

_PASSING_STATES = ("08", "57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03")
"""SQLSTATE codes, or how they begin, of faults that pass: lost connections, shutdown, start-up, overload, deadlocks."""

_PASSING_WORDS = ("starting up", "shutting down", "recovery mode", "too many clients", "remaining connection slots")
"""The words of a server that refuses connections for now; libpq gives no code while it connects."""


def is_postgres(url: URL) -> bool:
    """Return whether the URL leads to PostgreSQL, by whatever driver."""
    return url.get_backend_name() == "postgresql"


def make_postgres_engine(url: URL) -> Engine:
    """Return an engine for the URL, without connecting. Raises SettingsError where the driver is not installed."""
    try:
        return create_engine(
            url.set(drivername=DRIVER), pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_S}
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            "The driver for PostgreSQL is not installed.", code=ErrorCode.STATE_DRIVER_MISSING
        ) from error


def passes(error: OperationalError) -> bool:
    """Return whether a fault of the database passes by itself: nobody there, a restart, an overload."""
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return str(state).startswith(_PASSING_STATES)
    words = str(error.orig)
    # A server that answered "FATAL" is there, and refuses the role, the password or the database.
    return "FATAL" not in words or any(each in words for each in _PASSING_WORDS)


@retry(
    retry=retry_if_exception(lambda error: isinstance(error, OperationalError) and passes(error)),
    stop=stop_after_delay(RECONNECT_S),
    wait=wait_exponential(multiplier=0.1, max=2),
    reraise=True,
)
def connect(engine: Engine) -> Connection:
    """Return a connection, also where the server is just being restarted. Raises OperationalError."""
    return engine.connect()


def lock_schema(connection: Connection) -> None:
    """Keep other processes from making or changing the tables until the end of the transaction.

    A lock of the transaction, not of the session: so it holds behind a connection pooler too.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


@contextmanager
def shadowed(connection: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Let the connection work on copies of the tables, which nobody else sees and which are gone after the block.

    A temporary table hides the real one of the same name. So a rehearsal holds no lock and no long transaction.
    """
    for table in tables:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table.name} (LIKE {table.name} INCLUDING ALL)")
        connection.exec_driver_sql(f"INSERT INTO pg_temp.{table.name} SELECT * FROM {_real(connection, table)}")  # noqa: S608 - names of our schema
    for table in tables:
        connection.exec_driver_sql(f"ANALYZE pg_temp.{table.name}")
    connection.commit()

    try:
        yield
    finally:
        connection.rollback()
        for table in tables:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{table.name}")
        connection.commit()


def copy_missing(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows that are not there yet, by ``COPY`` into a table of this transaction."""
    names = ", ".join(columns)
    staged = f"staged_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS SELECT {names} FROM {table.name} WITH NO DATA"  # noqa: S608 - names of our schema
    )

    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {staged} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)

    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staged} ON CONFLICT DO NOTHING"  # noqa: S608 - names of our schema
    )
    connection.exec_driver_sql(f"DROP TABLE {staged}")


def _real(connection: Connection, table: Table) -> str:
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    return f'"{schema}".{table.name}'
