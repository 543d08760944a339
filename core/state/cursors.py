"""How far each object of each org has been read, and what is known about the org itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select, update

from ..model.blocks import Channel
from ..model.shapes import ObjectShape, OptOutFlag
from ..ports.crm import Org
from . import schema
from .sql import insert_missing, upsert
from .store import Store


def register_org(store: Store, org: Org, ledger: str | None = None) -> int:
    """Return the state's own id of the org, recording it when it is new.

    ``ledger`` names the suppression ledger that it is on from now on, "" the one that accounts share; None: as it was.
    """
    table = schema.orgs
    # What an org calls itself may be longer than the column, which PostgreSQL minds.
    name, address = org.name[: schema.NAME_LENGTH], org.address[: schema.ADDRESS_LENGTH]
    values: dict[str, object] = {"name": name, "production": org.production, "address": address}
    if ledger is not None:
        values["ledger"] = ledger

    with store.transaction() as connection:
        find = select(table.c.id).where(table.c.key == org.key)
        known = connection.scalar(find)
        if known is None:
            # Another first run may have come in between.
            insert_missing(connection, table, [{"key": org.key, **values}])
            known = connection.execute(find).scalar_one()

        connection.execute(update(table).where(table.c.id == known).values(**values))
        return int(known)


def find_org(store: Store, org: Org) -> int | None:
    """Return the state's own id of the org; None where no run has been there."""
    with store.transaction() as connection:
        return connection.scalar(select(schema.orgs.c.id).where(schema.orgs.c.key == org.key))


def list_orgs(store: Store, ledger: str | None = None) -> list[tuple[int, bool]]:
    """Return the state's own id of each org, and whether it is a production org.

    ``ledger`` names the suppression ledger that they are on; None: all orgs.
    """
    table = schema.orgs
    query = select(table.c.id, table.c.production)
    if ledger is not None:
        query = query.where(table.c.ledger == ledger)
    with store.transaction() as connection:
        return [(row.id, row.production) for row in connection.execute(query)]


def list_org_keys(store: Store, ledger: str, *, production: bool) -> list[str]:
    """Return the keys of the orgs on a suppression ledger: of its production orgs, or of its sandboxes."""
    table = schema.orgs
    with store.transaction() as connection:
        query = select(table.c.key).where(table.c.ledger == ledger, table.c.production.is_(production))
        return list(connection.scalars(query.order_by(table.c.key)))


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

    A cursor holds for the fields of opt-outs, consent and phones that ``shapes`` (object name -> shape) name when it is
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
    flags = [_digest_flag(flag) for flag in sorted(shape.opt_outs, key=lambda flag: flag.field)]
    phones = sorted(slot.field for slot in shape.slots)
    # One flag, or none, is said as it was when there could be no more.
    told: list[object] = [flags if len(flags) > 1 else flags[0] if flags else None, phones]
    if (consent := shape.consent) is not None:
        meant = (consent.given, consent.withdrawn, consent.purposes, (consent.at,))
        told.append([consent.field, *(sorted(map(repr, values)) for values in meant)])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _digest_flag(flag: OptOutFlag) -> list[object]:
    channel = [] if flag.channel is Channel.ALL else [flag.channel.value]
    return [flag.field, sorted(map(repr, flag.true_values)), *channel]
