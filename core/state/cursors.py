"""How far each object of each org has been read, and what is known about the org itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update

from ..model.shapes import ObjectShape
from ..ports.crm import Org
from . import schema
from .sql import add_missing, put
from .store import Store

_STAMPED = re.compile("(?P<read_for>[0-9a-f]{16}) (?P<cursor>.*)", re.DOTALL)


def register_org(store: Store, org: Org) -> int:
    """Return the state's own id of the org, recording it when it is new."""
    table = schema.orgs
    values = {"name": org.name, "production": org.production}
    with store.transaction() as connection:
        find = select(table.c.id).where(table.c.key == org.key)
        known = connection.scalar(find)
        if known is None:
            # Another first run may have come in between.
            add_missing(connection, table, [{"key": org.key, **values}])
            known = connection.execute(find).scalar_one()
        connection.execute(update(table).where(table.c.id == known).values(**values))
        return int(known)


def writes_confirmed(store: Store, org: Org) -> bool:
    """Return whether somebody has agreed that ringfence writes to this org."""
    table = schema.orgs
    with store.transaction() as connection:
        return connection.scalar(select(table.c.writes_confirmed_at).where(table.c.key == org.key)) is not None


def confirm_writes(store: Store, org: Org, now: datetime) -> None:
    """Record that somebody has agreed to writes."""
    org_id = register_org(store, org)
    with store.transaction() as connection:
        connection.execute(update(schema.orgs).where(schema.orgs.c.id == org_id).values(writes_confirmed_at=now))


class Cursors:
    """The cursors of one org. What is in a cursor is the connector's business.

    A cursor holds for the opt-out and the phone fields that ``shapes`` name when it is stored: under others, records
    that have not changed since have more to tell.
    """

    def __init__(self, store: Store, org_id: int, shapes: Mapping[str, ObjectShape]) -> None:
        self._store = store
        self._org_id = org_id
        self._read_for = {name: _read_for(shape) for name, shape in shapes.items()}

    def read(self) -> dict[str, str]:
        """Return object name -> cursor, for the mapped objects that have one that holds."""
        table = schema.cursors
        with self._store.transaction() as connection:
            rows = connection.execute(select(table.c.object, table.c.cursor).where(table.c.org_id == self._org_id))
            stored = {row.object: row.cursor for row in rows if row.object in self._read_for}
        held = {name: self._take_apart(name, cursor) for name, cursor in stored.items()}
        return {name: cursor for name, cursor in held.items() if cursor is not None}

    def move(self, cursors: Mapping[str, str], now: datetime) -> None:
        """Store the cursors of these objects."""
        rows = [
            {"org_id": self._org_id, "object": name, "cursor": f"{self._read_for[name]} {cursor}", "moved_at": now}
            for name, cursor in cursors.items()
        ]
        with self._store.transaction() as connection:
            put(connection, schema.cursors, rows)

    def _take_apart(self, name: str, stored: str) -> str | None:
        """Return the cursor itself; None where it was made for other fields than those of this run."""
        if (parts := _STAMPED.fullmatch(stored)) is None:
            return stored  # from before cursors told what they were made for
        return parts["cursor"] if parts["read_for"] == self._read_for[name] else None


def _read_for(shape: ObjectShape) -> str:
    flag = shape.opt_out
    asks = [flag.field, sorted(map(repr, flag.true_values))] if flag else None
    told = json.dumps([asks, sorted(slot.field for slot in shape.slots)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
