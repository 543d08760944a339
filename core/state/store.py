"""The state store: opening it, its schema version, its transactions."""

from __future__ import annotations

import os
import secrets as random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from ..errors import ErrorCode, SettingsError, StateError
from . import schema
from .folder_lock import lock_folder
from .keyring import KEY_BYTES, Keyring, parse_key, read_or_create_key_file, unwrap_key, wrap_key

HEAD = "0004"
"""The schema version this code works with: the newest migration."""

HASH_KEY = "hash-key"
"""Name under which the wrapped hash key is kept."""


class Store:
    """An open state store. Thread-safe as far as SQLAlchemy's engine is."""

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self.engine = engine
        self.keyring = keyring

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose work is committed at the end, or undone when an error leaves the block."""
        with _translated(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def rehearsal(self) -> Iterator[Store]:
        """Yield a store that begins with what this one holds, and whose changes are gone after the block.

        A dry run works on it; this store stays as it is. On SQLite it is a copy, because a long transaction would keep
        every other run from writing; elsewhere it is one transaction that is rolled back. Raises StateError where the
        copy cannot be made.
        """
        if self.engine.dialect.name == "sqlite":
            with _copied(self.engine) as copy:
                yield Store(copy, self.keyring)
            return

        with _translated(self.engine.url), self.engine.connect() as connection:
            try:
                yield _RolledBackStore(self.engine, self.keyring, connection)
            finally:
                connection.rollback()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class _RolledBackStore(Store):
    """A store whose every transaction is a part of one that somebody else rolls back."""

    def __init__(self, engine: Engine, keyring: Keyring, connection: Connection) -> None:
        super().__init__(engine, keyring)
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield the one connection; its work is neither committed nor undone at the end of the block."""
        yield self._connection

    def close(self) -> None:
        """Leave the connections to the store that this one was made from."""


def open_store(url: str, encryption_key: str | None = None) -> Store:
    """Return the store at the SQLAlchemy URL, created or migrated where needed.

    ``encryption_key`` is base64 of 32 bytes; without it the key file beside an SQLite store is used, and made when the
    store is new. Raises SettingsError for a bad URL or key, StateError when the store cannot be opened or is newer.
    """
    engine = _make_engine(url)
    try:
        with _translated(engine.url), _lock(engine.url):
            _migrate(engine)
            key = parse_key(encryption_key) if encryption_key else _key_beside(engine)
            return Store(engine, Keyring(key, _hash_key(engine, key)))
    except BaseException:
        engine.dispose()
        raise


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _check_folder(parsed)
            engine = create_engine(parsed, connect_args={"timeout": 30})
            event.listen(engine, "connect", _tune_sqlite)
            event.listen(engine, "handle_error", _stay_connected)
            return engine
        return create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise SettingsError(
            "The address of the state store is not a usable SQLAlchemy URL.", code=ErrorCode.STATE_URL_MALFORMED
        ) from error


def _folder(url: URL) -> Path | None:
    """Return where an SQLite store lies; None for one in memory or of another kind."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database).absolute().parent


def _lock(url: URL) -> AbstractContextManager[None]:
    """Keep two runs that are started at once on a new store from both making its tables and keys."""
    folder = _folder(url)
    return nullcontext() if folder is None else lock_folder(folder)


def _check_folder(url: URL) -> None:
    if folder := _folder(url):
        if not folder.is_dir():
            raise StateError(
                f"The folder of the state store does not exist: {folder}.", code=ErrorCode.STATE_FOLDER_MISSING
            )
        if not os.access(folder, os.W_OK):
            raise StateError(f"The folder of the state store is read-only: {folder}.", "Grant write access to it.")


def _tune_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # WAL lets a reader look while a run writes; NORMAL loses no committed work when the process dies. The log is
    # carried over into the database every 32 MB: each time waits for the disk.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-16384",
        "wal_autocheckpoint=8192",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _stay_connected(context: ExceptionContext) -> None:
    # SQLAlchemy drops a connection that Ctrl-C meets in a statement. The statement holds it open all the same, with its
    # lock, and the run could not even write down how it ended. SQLite's connection can be rolled back and go on.
    if not isinstance(context.original_exception, Exception):
        context.is_disconnect = False


@contextmanager
def _copied(engine: Engine) -> Iterator[Engine]:
    """Yield an engine on a copy of an SQLite store; the copy is gone after the block."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="ringfence-dry-run-", ignore_cleanup_errors=True)
            )
            copy = _copy_sqlite(engine, Path(folder) / "state.db")
        except (sqlite3.Error, OSError) as error:
            raise StateError(
                f"A dry run works on a copy of the state store, which cannot be made: {error}.",
                code=ErrorCode.STATE_COPY_FAILED,
            ) from error
        stack.callback(copy.dispose)
        yield copy


def _copy_sqlite(engine: Engine, target: Path) -> Engine:
    source = engine.raw_connection()
    try:
        with closing(sqlite3.connect(target)) as copy:
            source.driver_connection.backup(copy)  # type: ignore[union-attr] # a pooled connection has its driver's
    finally:
        source.close()
    return _make_engine(f"sqlite:///{target}")


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        version = (
            connection.scalar(text("SELECT version_num FROM alembic_version")) if "alembic_version" in tables else None
        )
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise StateError(
            f"The state store has schema version {version}; this ringfence knows up to {HEAD}.",
            "Install the newer ringfence.",
        )
    if version is None and tables:
        raise StateError(
            "The state store's database holds tables of something else.", "Give ringfence a database of its own."
        )
    if version is None:
        _make_tables(engine)
        return
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


def _key_beside(engine: Engine) -> bytes:
    url = engine.url
    if url.get_backend_name() != "sqlite":
        raise SettingsError("There is no encryption key.", code=ErrorCode.ENCRYPTION_KEY_MISSING)
    if not url.database or url.database == ":memory:":
        return os.urandom(KEY_BYTES)
    path = Path(url.database).with_suffix(".key")
    # A key made now would not open what is there, and would take the place where the right one belongs.
    if not path.exists() and _wrapped_hash_key(engine) is not None:
        raise StateError(f"The key file {path} of the state store is missing.", code=ErrorCode.KEY_FILE_MISSING)
    return read_or_create_key_file(path)


def _hash_key(engine: Engine, key: bytes) -> bytes:
    wrapped = _wrapped_hash_key(engine)
    if wrapped is not None:
        return unwrap_key(key, wrapped)
    hash_key = random.token_bytes(KEY_BYTES)
    with engine.begin() as connection:
        connection.execute(insert(schema.secrets).values(name=HASH_KEY, value=wrap_key(key, hash_key)))
    return hash_key


def _wrapped_hash_key(engine: Engine) -> bytes | None:
    table = schema.secrets
    with engine.connect() as connection:
        return connection.scalar(select(table.c.value).where(table.c.name == HASH_KEY))


@contextmanager
def _translated(url: URL) -> Iterator[None]:
    """Turn the database's own faults into ours, with the place named and without its SQL."""
    where = url.render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        raise StateError(
            f"The state store {where} does not work: {error.orig}.", "Check the file, its rights and the disk."
        ) from error
    except DBAPIError as error:
        raise StateError(
            f"The state store {where} is damaged or no database: {error.orig}.", "Restore a backup, or move it away."
        ) from error
