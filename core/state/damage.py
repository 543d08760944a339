"""Whether an SQLite file is whole: asked before it is used, because a damaged one can answer for a long time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from ..errors import StateError

QUICK_BYTES = 64 * 1024 * 1024
"""Size up to which looking at every page takes about a tenth of a second, which each opening may cost."""


def needs_check(url: URL) -> bool:
    """Return whether a file is to be looked at before it is opened: one that is small, or was not closed in order.

    Whoever closes a store in order carries its log over and removes it.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return False

    file = Path(url.database)
    log = file.with_name(f"{file.name}-wal")
    if not file.is_file():
        return False
    return file.stat().st_size <= QUICK_BYTES or (log.is_file() and log.stat().st_size > 0)


def refuse_damaged(engine: Engine) -> None:
    """Look at every page of the file. Raises StateError, in SQLite's own words, where they do not fit together."""
    with engine.connect() as connection:
        first = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if first != "ok":
        words = " ".join(str(first).split())
        raise StateError(
            f"The state store {engine.url.render_as_string(hide_password=True)} is damaged: {words}.",
            "Restore a backup, or move it away: the next run reads everything again and buys nothing that is fresh "
            "in the CRM.",
        )
