"""Records of destruction: what was purged or erased, when, by whom, why and how many rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, update

from ..numbers import mask_numbers
from . import schema
from .audit import Act, AuditAction, AuditLog
from .store import Store

_Table = schema.destructions


@dataclass(frozen=True, slots=True)
class Destruction:
    """What is about to be destroyed; ``id`` is that of its run in the history.

    ``subject`` says of what in the audit log; ``up_to`` is the moment (UTC) before which a purge destroys things.
    """

    id: str
    action: AuditAction
    author: str
    subject: str
    reason: str = ""
    up_to: datetime | None = None


def begin_destruction(connection: Connection, store: Store, destruction: Destruction, now: datetime) -> None:
    """Put on record what is about to be destroyed, before any of it is, also in the audit log."""
    connection.execute(
        insert(_Table).values(
            id=destruction.id,
            action=destruction.action.value,
            author=destruction.author,
            reason=mask_numbers(destruction.reason),
            began_at=now,
            up_to=destruction.up_to,
        )
    )
    act = Act(now, destruction.author, destruction.action, destruction.subject, destruction.reason)
    AuditLog(store.keyring).append(connection, act)


def end_destruction(store: Store, destruction_id: str, rows: Mapping[str, int], now: datetime) -> None:
    """Record how many rows are gone by table."""
    with store.transaction() as connection:
        connection.execute(
            update(_Table)
            .where(_Table.c.id == destruction_id)
            .values(ended_at=now, destroyed=json.dumps(dict(rows), sort_keys=True))
        )
