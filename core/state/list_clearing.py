"""Forgetting what former versions of a list hold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from . import schema
from .listing_pages import Part, delete_pages
from .listings import VersionState
from .store import Store

CHANGES_KEPT = 30
"""How many former versions of a list remember who came and went with them."""


def clear_former(store: Store, ledger: str, name: str) -> None:
    """Delete what former versions of the list hold, but for what changed with the latest of them."""
    table = schema.list_versions
    with store.transaction() as connection:
        former = connection.execute(
            select(table)
            .where(table.c.ledger == ledger, table.c.name == name, table.c.state == VersionState.FORMER.value)
            .order_by(table.c.position.desc())
        ).all()

    for age, row in enumerate(former):
        forgets = row.change_bits == 0 or (age >= CHANGES_KEPT and row.change_bits is not None)
        if forgets:
            _set(store, row.id, change_bits=None)
            delete_part(store, row.id, Part.CHANGE)
        if row.bits:
            delete_part(store, row.id, Part.CONTENT)
            _set(store, row.id, bits=0)


def delete_part(store: Store, version_id: int, part: Part) -> None:
    """Delete a part of a version, some of it at once: others need not wait for long."""
    more = True
    while more:
        with store.transaction() as connection:
            more = delete_pages(connection, version_id, part)


def _set(store: Store, version_id: int, **values: Any) -> None:
    table = schema.list_versions
    with store.transaction() as connection:
        connection.execute(update(table).where(table.c.id == version_id).values(**values))
