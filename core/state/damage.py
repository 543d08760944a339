"""Whether an SQLite file is whole: asked before it is used, because a damaged one can answer for a long time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from ..errors import StateError

THOROUGH_BYTES = 4 * 1024 * 1024
"""Size up to which every row is compared with its indexes: about a tenth of a second, which each opening may cost."""

QUICK_BYTES = 64 * 1024 * 1024
"""Size up to which the structure of every page is looked at: about as long."""


def find_check(url: URL) -> str | None:
    """Return how a file is to be looked at before it is used, as a pragma of SQLite; None where it is not.

    A large one is looked at where it was not closed in order only. Whoever closes a store in order carries its log over
    and removes it.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None

    file = Path(url.database)
    if not file.is_file():
        return None
    size, is_unclean = file.stat().st_size, _size_of(file.with_name(f"{file.name}-wal")) > 0

    if size <= THOROUGH_BYTES or (is_unclean and size <= QUICK_BYTES):
        return "integrity_check"
    return "quick_check" if size <= QUICK_BYTES or is_unclean else None


def _size_of(path: Path) -> int:
    """Return the size of a file that another process may remove at any moment; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def refuse_damaged(engine: Engine, check: str) -> None:
    """Look at the file as :func:`find_check` says. Raises StateError, in SQLite's own words, where it is damaged."""
    with engine.connect() as connection:
        first = connection.exec_driver_sql(f"PRAGMA {check}(1)").scalar()
    if first != "ok":
        words = " ".join(str(first).split())
        raise StateError(
            f"The state store {engine.url.render_as_string(hide_password=True)} is damaged: {words}.",
            "Restore a backup, or move it away: the next run reads everything again and buys nothing that is fresh "
            "in the CRM.",
        )
