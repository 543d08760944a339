"""The state store: opening it, its transactions, its keys."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock

from sqlalchemy import Connection, Engine, Transaction, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from ..errors import ErrorCode, RingfenceError, SettingsError, StateError
from . import schema
from .damage import find_check, refuse_damaged
from .engine import copied, find_folder, make_engine, translated
from .folder_lock import lock_folder
from .keyring import KEY_BYTES, Keyring, parse_key, read_or_create_key_file, unwrap_key, wrap_key
from .postgres import OPEN_S, RECONNECT_S, connect, is_postgres, renew_statistics, shadowed
from .schema_version import bring_up_to_date
from .sql import insert_missing

_HASH_KEY = "hash-key"
"""Name under which the wrapped hash key is kept."""

MOVED_TO = "moved-to"
"""Name under which a store that was carried over to another place keeps where that is."""


class Store:
    """An open state store. Thread-safe as far as SQLAlchemy's engine is."""

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self.engine = engine
        self.keyring = keyring
        self._is_away = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose work is committed at the end, or undone when an error leaves the block.

        Raises StateError when the database does not work.
        """
        if not is_postgres(self.engine.url):
            with translated(self.engine.url), self.engine.begin() as connection:
                yield connection
            return

        with translated(self.engine.url), self._connected() as connection, connection.begin():
            yield connection

    def tend(self) -> None:
        """Do what a server needs after many changes. That it cannot be done is no reason for a run to fail."""
        if not is_postgres(self.engine.url):
            return
        with suppress(RingfenceError), self.transaction() as connection:
            renew_statistics(connection, schema.metadata.sorted_tables)

    def _connected(self) -> Connection:
        """Return a connection; a server that did not come back is not waited for as long a second time."""
        try:
            connection = connect(self.engine, OPEN_S if self._is_away else RECONNECT_S)
        except DBAPIError:
            self._is_away = True
            raise
        self._is_away = False
        return connection

    @contextmanager
    def rehearsal(self) -> Iterator[Store]:
        """Yield a store that begins with what this one holds, and whose changes are gone after the block.

        A dry run works on it; this store stays as it is, and no other run waits for it. On SQLite it is a copy of the
        file, on PostgreSQL a connection with copies of the tables. Raises StateError where the copy cannot be made.
        """
        if not is_postgres(self.engine.url):
            with copied(self.engine) as copy:
                yield Store(copy, self.keyring)
            return

        with translated(self.engine.url), self._connected() as connection, shadowed(connection, schema.REHEARSED):
            yield _ShadowStore(self.engine, self.keyring, connection)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class _ShadowStore(Store):
    """A store whose every transaction goes by one connection, which sees copies of the tables."""

    def __init__(self, engine: Engine, keyring: Keyring, connection: Connection) -> None:
        super().__init__(engine, keyring)
        self._connection = connection
        self._lock = RLock()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield the one connection, to one thread at a time; also while an iterator of this thread reads by it."""
        connection = self._connection
        with translated(self.engine.url), self._lock, _begun(connection):
            yield connection

    def close(self) -> None:
        """Leave the connections to the store that this one was made from."""


def _begun(connection: Connection) -> Transaction:
    return connection.begin_nested() if connection.in_transaction() else connection.begin()


def open_store(url: str, encryption_key: str | None = None) -> Store:
    """Return the store at the SQLAlchemy URL, created or migrated where needed.

    ``encryption_key`` is base64 of 32 bytes; without it the key file beside an SQLite store is used, and made when the
    store is new. Raises SettingsError for a bad URL or key, StateError when the store cannot be opened or is newer.
    """
    engine = make_engine(url)
    try:
        with translated(engine.url), locked(engine.url):
            if check := find_check(engine.url):
                refuse_damaged(engine, check)
            bring_up_to_date(engine)
            _refuse_moved(engine)
            key = parse_key(encryption_key) if encryption_key else _key_beside(engine)
            return Store(engine, Keyring(key, _hash_key(engine, key)))
    except BaseException:
        engine.dispose()
        raise


def locked(url: URL) -> AbstractContextManager[None]:
    """Keep two runs that are started at once on a new store from both making its tables and keys."""
    folder = find_folder(url)
    return nullcontext() if folder is None else lock_folder(folder)


def _refuse_moved(engine: Engine) -> None:
    with connect(engine, OPEN_S) as connection:
        refuse_moved(connection)


def refuse_moved(connection: Connection) -> None:
    """Raise StateError where the store was carried over to another place."""
    table = schema.secrets
    where = connection.scalar(select(table.c.value).where(table.c.name == MOVED_TO))
    if where is not None:
        raise StateError(f"This state store was moved to {bytes(where).decode()}.", code=ErrorCode.STATE_MOVED)


def key_file(url: URL) -> Path | None:
    """Return where the key of an SQLite store lies that is given none; None for a store of another kind."""
    return None if find_folder(url) is None else Path(str(url.database)).with_suffix(".key")


def _key_beside(engine: Engine) -> bytes:
    """Return the encryption key in the file beside an SQLite store, making it for a new one."""
    url = engine.url
    if url.get_backend_name() != "sqlite":
        raise SettingsError("There is no encryption key.", code=ErrorCode.ENCRYPTION_KEY_MISSING)
    if not url.database or url.database == ":memory:":
        return os.urandom(KEY_BYTES)

    path = Path(url.database).with_suffix(".key")
    is_used = _wrapped_hash_key(engine) is not None
    # A key made now would not open what is there, and would take the place where the right one belongs.
    if is_used and not path.exists():
        raise StateError(f"The key file {path} of the state store is missing.", code=ErrorCode.KEY_FILE_MISSING)
    if is_used and not path.stat().st_size:
        raise StateError(
            f"The key file {path} of the state store is empty, as a crash or a full disk leaves one.",
            code=ErrorCode.KEY_FILE_MISSING,
        )
    return read_or_create_key_file(path)


def _hash_key(engine: Engine, key: bytes) -> bytes:
    """Return the key under which numbers are hashed, making it for a new store."""
    wrapped = _wrapped_hash_key(engine)
    if wrapped is not None:
        return unwrap_key(key, wrapped)

    hash_key = random.token_bytes(KEY_BYTES)
    made = {"name": _HASH_KEY, "value": wrap_key(key, hash_key)}
    with connect(engine, OPEN_S) as connection, connection.begin():
        # Another process may have come first; then its key counts.
        if insert_missing(connection, schema.secrets, [made]):
            return hash_key
    return unwrap_key(key, _wrapped_hash_key(engine) or b"")


def _wrapped_hash_key(engine: Engine) -> bytes | None:
    table = schema.secrets
    with connect(engine, OPEN_S) as connection:
        return connection.scalar(select(table.c.value).where(table.c.name == _HASH_KEY))
