"""The state store: opening it, its transactions, its keys."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock

from sqlalchemy import Connection, Engine, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from ..errors import ErrorCode, RingfenceError, SettingsError, StateError, StoppedError
from . import schema
from .damage import find_check, refuse_damaged
from .engine import copied, find_folder, make_engine, translated
from .folder_lock import lock_folder
from .key_files import KeyFile
from .keyring import KEY_BYTES, EncryptionKeys, Keyring, parse_key, unwrap_by_either, wrap_key
from .postgres import OPEN_S, RECONNECT_S, connect, is_postgres, renew_statistics, shadowed
from .schema_version import bring_up_to_date
from .sql import insert_missing

HASH_KEY = "hash-key"
"""Name under which the wrapped hash key is kept."""

MOVED_TO = "moved-to"
"""Name under which a store that was carried over to another place keeps where that is."""


class Store:
    """An open state store. Thread-safe as far as SQLAlchemy's engine is.

    ``key_file`` is where its encryption key comes from; None where it was given. ``patience_s`` is for how many seconds
    a server that goes away is waited for: whoever has to answer somebody sets it lower.
    """

    def __init__(self, engine: Engine, keyring: Keyring, key_file: KeyFile | None = None) -> None:
        self.engine = engine
        self.keyring = keyring
        self.key_file = key_file
        self.is_closed = False
        self.patience_s: float = RECONNECT_S
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
            connection = connect(self.engine, min(OPEN_S, self.patience_s) if self._is_away else self.patience_s)
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

    def within(self, connection: Connection) -> Store:
        """Return a store whose transactions are all the one that is open on the connection, which its caller ends.

        Beginning and ending one takes a server as many turns as asking it: many questions in one take half the time.
        """
        return _BoundStore(self.engine, self.keyring, connection)

    def close(self) -> None:
        """Close all connections."""
        self.is_closed = True
        self.engine.dispose()


class _BoundStore(Store):
    """A store that works in a transaction of its caller, in one thread."""

    def __init__(self, engine: Engine, keyring: Keyring, connection: Connection) -> None:
        super().__init__(engine, keyring)
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield the caller's connection."""
        yield self._connection

    def close(self) -> None:
        """Leave the connections to the store that this one was made from."""


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
        if connection.invalidated:
            raise StoppedError("The copy of the state store for this dry run went with its connection.", "Run again.")
        # A savepoint of the one transaction that is never committed.
        with translated(self.engine.url), self._lock, connection.begin_nested():
            yield connection

    def close(self) -> None:
        """Leave the connections to the store that this one was made from."""


def open_store(url: str, encryption_key: str | None = None, old_key: str | None = None) -> Store:
    """Return the store at the SQLAlchemy URL, created or migrated where needed.

    ``encryption_key`` is base64 of 32 bytes; without it the key file beside an SQLite store is used, and made when the
    store is new. ``old_key`` is the one that a rotation is leaving behind. Raises SettingsError for a bad URL or key,
    StateError when the store cannot be opened or is newer.
    """
    engine = make_engine(url)
    try:
        with translated(engine.url), locked(engine.url):
            if check := find_check(engine.url):
                refuse_damaged(engine, check)
            bring_up_to_date(engine)
            _refuse_moved(engine)
            file = None if encryption_key else _key_file_beside(engine)
            keys = file.read() if file else keys_given(encryption_key, old_key)
            hash_key = _hash_key(engine, keys)
            return Store(engine, Keyring(keys.present, hash_key, keys.old, file.renew if file else None), file)
    except BaseException:
        engine.dispose()
        raise


def keys_given(encryption_key: str | None, old_key: str | None) -> EncryptionKeys:
    """Return the keys that were given; for a store in memory that is given none, one that dies with it."""
    if not encryption_key:
        return EncryptionKeys(os.urandom(KEY_BYTES))
    present = parse_key(encryption_key)
    try:
        old = parse_key(old_key) if old_key else None
    except SettingsError as error:
        raise SettingsError(
            "The old encryption key is not base64 of 32 bytes.", "Correct it, or leave it out."
        ) from error
    return EncryptionKeys(present, None if old == present else old)


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


def _key_file_beside(engine: Engine) -> KeyFile | None:
    """Return the key file beside an SQLite store, which may have to be made for a new one; None for one in memory."""
    url = engine.url
    if url.get_backend_name() != "sqlite":
        raise SettingsError("There is no encryption key.", code=ErrorCode.ENCRYPTION_KEY_MISSING)
    if not url.database or url.database == ":memory:":
        return None

    path = Path(url.database).with_suffix(".key")
    is_used = read_wrapped_key(engine) is not None
    # A key made now would not open what is there, and would take the place where the right one belongs.
    if is_used and not path.exists():
        raise StateError(f"The key file {path} of the state store is missing.", code=ErrorCode.KEY_FILE_MISSING)
    if is_used and not path.stat().st_size:
        raise StateError(
            f"The key file {path} of the state store is empty, as a crash or a full disk leaves one.",
            code=ErrorCode.KEY_FILE_MISSING,
        )
    return KeyFile(path)


def _hash_key(engine: Engine, keys: EncryptionKeys) -> bytes:
    """Return the key under which numbers are hashed, making it for a new store."""
    wrapped = read_wrapped_key(engine)
    if wrapped is not None:
        return unwrap_by_either(keys, wrapped)

    hash_key = random.token_bytes(KEY_BYTES)
    made = {"name": HASH_KEY, "value": wrap_key(keys.present, hash_key)}
    with connect(engine, OPEN_S) as connection, connection.begin():
        # Another process may have come first; then its key counts.
        if insert_missing(connection, schema.secrets, [made]):
            return hash_key
    return unwrap_by_either(keys, read_wrapped_key(engine) or b"")


def read_wrapped_key(engine: Engine) -> bytes | None:
    """Return the hash key as it is kept, wrapped by the encryption key; None for a new store."""
    table = schema.secrets
    with connect(engine, OPEN_S) as connection:
        return connection.scalar(select(table.c.value).where(table.c.name == HASH_KEY))
