"""A look into a state store from behind, whatever engine it is on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from ringfence.core.state import schema
from ringfence.core.state.store import Store


def all_that_is_kept(store: Store, folder: Path) -> bytes:
    """Return every byte that the store keeps: those of its files in the folder, or of each column of each table."""
    if store.engine.dialect.name == "sqlite":
        store.close()
        return b"".join(path.read_bytes() for path in folder.iterdir())

    kept = []
    with store.transaction() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                kept += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    return b"\n".join(kept)


@contextmanager
def what_is_written(store: Store) -> Iterator[list[str]]:
    """Collect the statements other than reads that the store carries out within the block."""
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            written.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield written
    event.remove(store.engine, "before_cursor_execute", note)
