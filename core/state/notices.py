"""Notices that CRMs send of changes: those that were heard before do nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from . import schema
from .sql import insert_missing, select_among

KEPT = timedelta(days=4)
"""How long a notice is known: longer than any CRM repeats one (HubSpot and Salesforce do so for 24 hours)."""

Notice = Sequence[str]
"""What makes a notice the same as another one."""


def take_notices(connection: Connection, account: str, notices: Sequence[Notice], now: datetime) -> list[bool]:
    """Record that the account's CRM has sent these, in the caller's transaction; return which of them are new.

    A notice that stands there twice is new once. What is older than :data:`KEPT` is forgotten.
    """
    table = schema.notices
    connection.execute(delete(table).where(table.c.heard_at < now - KEPT))

    digests = [_digest(notice) for notice in notices]
    ours = {"account": account}
    known = {bytes(key) for (key,) in select_among(connection, [table.c.digest], ours, table.c.digest, digests)}
    new: list[bytes] = []
    are_new: list[bool] = []
    for digest in digests:
        are_new.append(digest not in known)
        if are_new[-1]:
            new.append(digest)
            known.add(digest)
    insert_missing(connection, table, [{"account": account, "digest": each, "heard_at": now} for each in new])
    return are_new


def _digest(notice: Notice) -> bytes:
    return hashlib.sha256(json.dumps(list(notice)).encode()).digest()[:16]
