"""What a connector has found out about an account, from run to run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from . import schema
from .store import Store


def read_learnt(store: Store, org_id: int) -> dict[str, str]:
    """Return name -> what was learnt about an org; only its connector knows what it says."""
    table = schema.learnt
    with store.transaction() as connection:
        rows = connection.execute(select(table.c.name, table.c.value).where(table.c.org_id == org_id)).all()
    return {row.name: row.value for row in rows}


def keep_learnt(store: Store, org_id: int, learnt: Mapping[str, str]) -> None:
    """Replace what was learnt about an org; nothing is written where nothing is new."""
    if read_learnt(store, org_id) == learnt:
        return
    table = schema.learnt
    rows = [{"org_id": org_id, "name": name, "value": value} for name, value in learnt.items()]

    with store.transaction() as connection:
        connection.execute(delete(table).where(table.c.org_id == org_id))
        if rows:
            connection.execute(insert(table), rows)
