"""Where the state of a life is kept: on each engine it can be new, be left behind by a process that dies, and open."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from ringfence.core.state.store import Store, open_store

from .living_world import KEY, Killed
from .postgres import PostgresServer

# The dead run's process would live on in the lease, for it is the one that runs these tests.
DIED = "UPDATE leases SET process_started = 'another process'"


class LivingState(Protocol):
    """A state store that lives on one of the engines."""

    def open_new(self) -> Store:
        """Return an empty store in the place of the one before."""
        ...

    def die(self, store: Store) -> None:
        """Keep the state as a process that dies now leaves it, whatever the process still does."""
        ...

    def open_left(self) -> Store:
        """Return the store that was left behind."""
        ...


class FileState:
    """In an SQLite file; ``empty`` is one in which nothing is."""

    def __init__(self, empty: Path) -> None:
        self._empty = empty
        self._file = empty.with_name("state.db")

    def open_new(self) -> Store:
        return self._open(self._empty)

    def die(self, store: Store) -> None:
        with closing(sqlite3.connect(self._file)) as live, closing(sqlite3.connect(f"{self._file}.left")) as left:
            live.backup(left)
            left.execute(DIED)
            left.commit()

    def open_left(self) -> Store:
        return self._open(Path(f"{self._file}.left"))

    def _open(self, content: Path) -> Store:
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        shutil.copy(content, self._file)
        return open_store(f"sqlite:///{self._file}", KEY)


class ServerState:
    """In a database of a PostgreSQL server, made from one in which nothing is."""

    def __init__(self, server: PostgresServer, empty: str) -> None:
        self._server = server
        self._empty = empty
        self._databases = ExitStack()
        self._url = ""

    def open_new(self) -> Store:
        self._databases.close()
        self._url = self._databases.enter_context(self._server.database(self._empty))
        return open_store(self._url, KEY)

    def die(self, store: Store) -> None:
        # A process that dies begins nothing any more, and the server undoes what it had begun.
        store.transaction = _refuse  # type: ignore[method-assign] # of this one store
        self._server.cut_off(self._url)

    def open_left(self) -> Store:
        left = open_store(self._url, KEY)
        with left.transaction() as connection:
            connection.exec_driver_sql(DIED)
        return left

    def close(self) -> None:
        """Let the database be gone."""
        self._databases.close()


@contextmanager
def _refuse() -> Iterator[Connection]:
    raise Killed
    yield
