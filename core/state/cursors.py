"""How far each object of each org has been read, and what is known about the org itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select, update

from ..model.shapes import ObjectShape
from ..ports.crm import Org
from . import schema
from .sql import insert_missing, upsert
from .store import Store


def register_org(store: Store, org: Org) -> int:
    """Return the state's own id of the org, recording it when it is new."""
    table = schema.orgs
    # What an org calls itself may be longer than the column, which PostgreSQL minds.
    name, address = org.name[: schema.NAME_LENGTH], org.address[: schema.ADDRESS_LENGTH]
    values = {"name": name, "production": org.production, "address": address}

    with store.transaction() as connection:
        find = select(table.c.id).where(table.c.key == org.key)
        known = connection.scalar(find)
        if known is None:
            # Another first run may have come in between.
            insert_missing(connection, table, [{"key": org.key, **values}])
            known = connection.execute(find).scalar_one()

        connection.execute(update(table).where(table.c.id == known).values(**values))
        return int(known)


def list_orgs(store: Store) -> list[tuple[int, bool]]:
    """Return the state's own id of each org, and whether it is a production org."""
    table = schema.orgs
    with store.transaction() as connection:
        return [(row.id, row.production) for row in connection.execute(select(table.c.id, table.c.production))]


def writes_confirmed(store: Store, org: Org) -> bool:
    """Return whether somebody has agreed that ringfence writes to this org."""
    table = schema.orgs
    with store.transaction() as connection:
        return connection.scalar(select(table.c.writes_confirmed_at).where(table.c.key == org.key)) is not None


def confirm_writes(store: Store, org: Org, now: datetime) -> None:
    """Record that somebody has agreed, at the moment ``now`` (UTC), that ringfence writes to this org."""
    org_id = register_org(store, org)
    with store.transaction() as connection:
        connection.execute(update(schema.orgs).where(schema.orgs.c.id == org_id).values(writes_confirmed_at=now))


def forget_cursors(store: Store, org: Org) -> None:
    """Forget how far the objects of an org have been read: fields came or went, which no record shows as a change."""
    known = select(schema.orgs.c.id).where(schema.orgs.c.key == org.key)
    with store.transaction() as connection:
        connection.execute(delete(schema.cursors).where(schema.cursors.c.org_id.in_(known)))


class Cursors:
    """The cursors of one org. Only the connector knows what a cursor says.

    A cursor holds for the opt-out field and the phone fields that ``shapes`` (object name -> shape) name when it is
    stored. Once the mapping names others, a record that has not changed since may have more to say: the cursor no
    longer holds, and the object is read from the start.
    """

    def __init__(self, store: Store, org_id: int, shapes: Mapping[str, ObjectShape]) -> None:
        self._store = store
        self._org_id = org_id
        self._digests = {name: _mapping_digest(shape) for name, shape in shapes.items()}

    def read(self, since: datetime | None = None) -> dict[str, str]:
        """Return object name -> cursor for the mapped objects that have a cursor which holds.

        With ``since`` (aware) only those that were moved since then.
        """
        table = schema.cursors
        query = select(table.c.object, table.c.cursor, table.c.mapping_digest).where(table.c.org_id == self._org_id)
        if since is not None:
            query = query.where(table.c.moved_at >= since)

        with self._store.transaction() as connection:
            return {
                row.object: row.cursor
                for row in connection.execute(query)
                if row.object in self._digests and row.mapping_digest in (None, self._digests[row.object])
            }

    def move(self, cursors: Mapping[str, str], now: datetime) -> None:
        """Store these cursors (object name -> cursor) as moved at the moment ``now`` (UTC)."""
        rows = [
            {
                "org_id": self._org_id,
                "object": name,
                "mapping_digest": self._digests[name],
                "cursor": cursor,
                "moved_at": now,
            }
            for name, cursor in cursors.items()
        ]

        with self._store.transaction() as connection:
            upsert(connection, schema.cursors, rows)


def _mapping_digest(shape: ObjectShape) -> str:
    """Return a digest of the fields that a cursor of the object holds for. It is stored: it must stay as it is."""
    flag = shape.opt_out
    opt_out = [flag.field, sorted(map(repr, flag.true_values))] if flag else None
    phones = sorted(slot.field for slot in shape.slots)
    return hashlib.sha256(json.dumps([opt_out, phones]).encode()).hexdigest()[:16]
