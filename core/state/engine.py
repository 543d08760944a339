"""The database behind a state store: connecting, SQLite's settings, copies, and faults in our own terms."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from ..errors import ErrorCode, RingfenceError, SettingsError, StateError, StoppedError
from .postgres import is_disk_full, is_postgres, is_read_only, make_postgres_engine, passes, timed_out, words_of
from .private_files import create_empty

_PRAGMAS = (
    "journal_mode=WAL",  # a reader looks while a run writes
    "synchronous=NORMAL",  # loses no committed work when the process dies
    "foreign_keys=ON",
    "cache_size=-16384",
    "wal_autocheckpoint=8192",  # the log is carried over every 32 MB, because each time waits for the disk
)

WAIT_S = 30
"""How long to wait, in seconds, for another process to let go of the database."""


def make_engine(url: str) -> Engine:
    """Return an engine for the SQLAlchemy URL, without connecting.

    Raises SettingsError for a bad URL, StateError when the folder of an SQLite database is missing or read-only.
    """
    try:
        parsed = make_url(url)
        if is_postgres(parsed):
            return make_postgres_engine(parsed)
        if parsed.get_backend_name() != "sqlite":
            raise _unusable_url()

        _check_folder(parsed)
        _create_file(parsed)
        engine = create_engine(parsed, connect_args={"timeout": WAIT_S})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise _unusable_url() from error

    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "handle_error", _stay_connected)
    return engine


def _unusable_url() -> SettingsError:
    return SettingsError(
        "The address of the state store is not a usable SQLAlchemy URL.", code=ErrorCode.STATE_URL_MALFORMED
    )


def find_folder(url: URL) -> Path | None:
    """Return where an SQLite database lies; None for one in memory or of another kind."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database).absolute().parent


def is_there(url: str) -> bool:
    """Return whether there may be a state store at the SQLAlchemy URL: not where its file does not exist yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True  # opening it says what is wrong with the URL
    return find_folder(parsed) is None or Path(parsed.database or "").exists()


@contextmanager
def copied(engine: Engine) -> Iterator[Engine]:
    """Yield an engine on a copy of an SQLite database; the copy is gone after the block.

    Raises StateError where it cannot be made.
    """
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


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn the database's own faults into StateError, with the place named and without its SQL.

    Raises StoppedError where another process keeps it locked, or the server is away or has no room: that passes.
    """
    where = url.render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        if is_postgres(url):
            raise _postgres_fault(where, error) from error
        if _is_locked(error.orig):
            raise StoppedError(
                f"Another process keeps the state store {where} locked.", "Run again when that is done."
            ) from error
        raise StateError(
            f"The state store {where} does not work: {error.orig}.", "Check the file, its rights and the disk."
        ) from error
    except DBAPIError as error:
        if is_postgres(url):
            raise _postgres_fault(where, error) from error
        raise StateError(
            f"The state store {where} is damaged or no database: {error.orig}.", "Restore a backup, or move it away."
        ) from error


def _postgres_fault(where: str, error: DBAPIError) -> RingfenceError:
    """Return the error for a server that cannot be used; what it says by itself holds no secret."""
    words = words_of(error)
    if passes(error):
        return StoppedError(
            f"The state store {where} cannot be reached: {words}.",
            "Start it, or wait for it, and run again. Nothing is lost; the next run goes on from there.",
        )
    if timed_out(error):
        return StoppedError(
            f"The state store {where} broke off what it was asked: {words}.",
            "Give the role more time, as by ALTER ROLE ... SET statement_timeout = 0, and run again. Nothing is lost.",
        )
    if is_disk_full(error):
        return StoppedError(
            f"The disk of the state store {where} is full: {words}.",
            "Make room on the server's disk, and run again. Nothing is lost; the next run goes on from there.",
        )
    if is_read_only(error):
        return StateError(
            f"The state store {where} takes no changes: {words}.",
            "Name the primary server, no standby; of several hosts target_session_attrs=read-write finds it.",
        )
    return StateError(
        f"The state store {where} refuses us: {words}.",
        "Check the name of the database, the role, its password and its rights.",
    )


def _check_folder(url: URL) -> None:
    if (folder := find_folder(url)) is None:
        return
    if not folder.is_dir():
        raise StateError(
            f"The folder of the state store does not exist: {folder}.", code=ErrorCode.STATE_FOLDER_MISSING
        )
    if not os.access(folder, os.W_OK):
        raise StateError(f"The folder of the state store is read-only: {folder}.", "Grant write access to it.")


def _create_file(url: URL) -> None:
    """Make the file of a new database for its owner alone; SQLite gives the files beside it the same rights."""
    if find_folder(url) is None or str(url.database).startswith("file:"):
        return
    with suppress(OSError):  # what keeps the file from being made is told when it is opened
        create_empty(Path(str(url.database)))


def _is_locked(fault: BaseException | None) -> bool:
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF  # the rest of it says more than is needed
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _stay_connected(context: ExceptionContext) -> None:
    # SQLAlchemy drops a connection that Ctrl-C meets in a statement. The statement holds it open all the same, with its
    # lock, and the run could not even write down how it ended. SQLite's connection can be rolled back and go on.
    if not isinstance(context.original_exception, Exception):
        context.is_disconnect = False


def _copy_sqlite(engine: Engine, target: Path) -> Engine:
    source = engine.raw_connection()
    try:
        with closing(sqlite3.connect(target)) as copy:
            source.driver_connection.backup(copy)  # type: ignore[union-attr] # a pooled connection has its driver's
    finally:
        source.close()
    return make_engine(f"sqlite:///{target}")
