"""A state store on PostgreSQL: its engine, which of its faults pass by themselves, and what many rows need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ..errors import ErrorCode, SettingsError

DRIVER = "postgresql+psycopg"
"""The one driver that is tested; ``postgresql://`` stands for it."""

CONNECT_S = 10
"""How long one attempt to connect may take, in seconds."""

RECONNECT_S = 30
"""How long a server that goes away in the middle of a run is waited for, in seconds: as long as a restart takes."""

OPEN_S = 3
"""How long a server that is not there is waited for before any work has begun, in seconds."""

COPY_FROM = 1_000
"""Rows from which a ``COPY`` is faster than single inserts."""

_GROWN, _SMALL = 1.5, 512 * 1024
"""How many times as large a table has become, and by how many bytes at least, before its statistics are renewed."""

_SIZE = text(
    "SELECT pg_relation_size(oid), relpages * current_setting('block_size')::bigint FROM pg_class"
    " WHERE oid = to_regclass(:name)"
)

_SCHEMA_LOCK = 0x52_46_53_43
"""A number of our own, under which the schema is made and changed by one process at a time."""

_PASSING_STATES = ("08", "57P01", "57P02", "57P03", "53200", "53300", "40001", "40P01", "55P03")
"""SQLSTATE codes, or how they begin, of faults that pass: lost connections, shutdown, start-up, overload, deadlocks."""

_TIMED_OUT = ("57014", "57P05", "25P03", "25P04")
"""SQLSTATE codes of what took longer than the server's settings allow, or was broken off by its administrator."""

_LONGEST_WORDS = 300

_DISK_FULL, _READ_ONLY = "53100", "25006"

_PASSING_WORDS = ("starting up", "shutting down", "recovery mode", "too many clients", "remaining connection slots")
"""The words of a server that refuses connections for now; libpq gives no code while it connects."""

_REFUSING_WORDS = ("FATAL", "no password supplied", "does not support SSL", "certificate")
"""The words of a connection that fails every time: a server that answered FATAL is there, and refuses us."""


def is_postgres(url: URL) -> bool:
    """Return whether the URL leads to PostgreSQL, by whatever driver; hosts often write ``postgres://``."""
    return url.get_backend_name() in {"postgresql", "postgres"}


def make_postgres_engine(url: URL) -> Engine:
    """Return an engine for the URL, without connecting. Raises SettingsError where the driver is not installed."""
    # Without prepared statements: a connection pooler need not know them, and one that was planned while a table was
    # empty would go on reading the whole of it once it is large.
    options = {"connect_timeout": CONNECT_S, "prepare_threshold": None}
    ours = {name: value for name, value in options.items() if name not in url.query}
    try:
        engine = create_engine(url.set(drivername=DRIVER), pool_pre_ping=True, connect_args=ours)
    except ModuleNotFoundError as error:
        raise SettingsError(
            "The driver for PostgreSQL is not installed.", code=ErrorCode.STATE_DRIVER_MISSING
        ) from error

    event.listen(engine, "connect", _leave_out_nul)
    return engine


def _leave_out_nul(dbapi_connection: Any, _record: object) -> None:
    """Keep the character NUL, which PostgreSQL's texts cannot hold, from failing a whole batch of ids or names."""
    from psycopg.types.string import StrDumper  # noqa: PLC0415 - the driver is an extra

    class _WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\x00", "") if "\x00" in obj else obj)

    dbapi_connection.adapters.register_dumper(str, _WithoutNul)


def passes(error: DBAPIError) -> bool:
    """Return whether a fault of the database passes by itself: nobody there, a restart, an overload."""
    if state := _sqlstate(error):
        return state.startswith(_PASSING_STATES)
    if not isinstance(error, OperationalError):
        return False
    words = str(error.orig)
    return any(each in words for each in _PASSING_WORDS) or not any(each in words for each in _REFUSING_WORDS)


def words_of(error: DBAPIError) -> str:
    """Return what the server says, without the statement that it says it about."""
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return " ".join(str(said or error.orig).split())[:_LONGEST_WORDS]


def is_disk_full(error: DBAPIError) -> bool:
    """Return whether the server has no room left."""
    return _sqlstate(error) == _DISK_FULL


def timed_out(error: DBAPIError) -> bool:
    """Return whether the server broke off what took longer than its settings allow."""
    return _sqlstate(error) in _TIMED_OUT


def is_read_only(error: DBAPIError) -> bool:
    """Return whether the server takes no changes, as a standby does."""
    return _sqlstate(error) == _READ_ONLY


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def connect(engine: Engine, wait_s: float = RECONNECT_S) -> Connection:
    """Return a connection, also where the server is just being restarted, for ``wait_s`` seconds at most.

    Raises OperationalError.
    """
    tries = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, OperationalError) and passes(error)),
        stop=stop_after_delay(wait_s),
        wait=wait_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    return tries(engine.connect)


def server_now(connection: Connection) -> datetime:
    """Return the moment by the server's clock, UTC: the one clock that all processes share."""
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def lock_schema(connection: Connection) -> None:
    """Keep other processes from making or changing the tables until the end of the transaction.

    A lock of the transaction, not of the session: so it holds behind a connection pooler too.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


@contextmanager
def shadowed(connection: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Let the connection work on copies of the tables, which nobody else sees and which are gone after the block.

    A temporary table hides the real one of the same name. All of it is one transaction that is rolled back in the end:
    behind a pooler another session may carry out the next one, which would find the real tables. It changes no other
    table, and so nobody waits for it.
    """
    whole = connection.begin()
    try:
        # Between two batches a rehearsal may wait for a CRM for longer than a server lets a transaction idle.
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        for table in tables:
            real = _real(connection, table)
            connection.exec_driver_sql(
                f"CREATE TEMPORARY TABLE {table.name} (LIKE {table.name} INCLUDING ALL) ON COMMIT DROP"
            )
            connection.exec_driver_sql(f"INSERT INTO pg_temp.{table.name} SELECT * FROM {real}")  # noqa: S608 - names of our schema
            connection.exec_driver_sql(f"ANALYZE pg_temp.{table.name}")
        yield
    finally:
        if not connection.invalidated:
            whole.rollback()
            # The session ends as well: what it has learnt about the copies is nobody's business afterwards.
            connection.invalidate()


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
    # Also in the middle of a run: while a first one fills the table, it searches it for every page.
    renew_statistics(connection, [table])


def copy_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert whole rows, values in the order of the columns, by ``COPY``; moments are aware."""
    names = ", ".join(column.name for column in table.columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def lock_tables(connection: Connection, tables: Sequence[Table]) -> None:
    """Keep everybody from changing the tables until the end of the transaction; reading goes on."""
    names = ", ".join(table.name for table in tables)
    connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def renew_statistics(connection: Connection, tables: Sequence[Table]) -> None:
    """Have the server look at those of the tables that have grown much since it last did.

    It does so by itself only after a minute or so: a run that follows a large first one would search by guesses.
    """
    for table in tables:
        size, known = connection.execute(_SIZE, {"name": table.name}).one()
        if size > known * _GROWN + _SMALL:
            connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {table.name}")


def _real(connection: Connection, table: Table) -> str:
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    return f'"{schema}".{table.name}'
