"""What the history says about an org's earlier syncs that the next one has to know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from ..clock import whole_seconds
from . import schema
from .store import Store

RUNS_BACK = 200
"""How many runs are looked at."""


class _Sync(NamedTuple):
    started_at: datetime
    options: dict[str, Any]
    complete: bool


def owed_rescreen(store: Store, org_id: int) -> datetime | None:
    """Return when the org's latest rescreen began that no run has brought to its end yet; None without one.

    Moments are in whole seconds, as the stamps that are compared with it.
    """
    for sync in _latest_first(store, org_id):
        if sync.complete:
            return None
        if sync.options["rescreen"]:
            return whole_seconds(sync.started_at)
    return None


def find_anchor(store: Store, org_id: int) -> datetime | None:
    """Return when the sync began from which on the history of the org is still needed; None where it had none.

    That is the latest one that handled everything, else the latest rescreen, else the latest sync.
    """
    syncs = list(_latest_first(store, org_id))
    complete = [sync for sync in syncs if sync.complete]
    rescreens = [sync for sync in syncs if sync.options["rescreen"]]
    return next((some[0].started_at for some in (complete, rescreens, syncs) if some), None)


def has_synced(store: Store, org_id: int) -> bool:
    """Return whether the history has a sync of the org that has ended."""
    return next(_latest_first(store, org_id), None) is not None


def last_complete_sync(store: Store, org_id: int) -> datetime | None:
    """Return when the org's latest sync began that handled everything; None without one."""
    return next((sync.started_at for sync in _latest_first(store, org_id) if sync.complete), None)


def last_providers(store: Store, org_id: int) -> list[str] | None:
    """Return the lookup providers that the org's latest sync had; None where there was none, or nobody knows."""
    for sync in _latest_first(store, org_id):
        found: list[str] | None = sync.options.get("providers")
        return found
    return None


def _latest_first(store: Store, org_id: int) -> Iterator[_Sync]:
    """Yield the syncs that have ended and were no dry runs; a plan that was applied, an undo, and a run over some
    records alone are none.
    """
    table = schema.runs
    query = (
        select(table.c.started_at, table.c.options, table.c.summary)
        .where(table.c.org_id == org_id, table.c.dry_run.is_(False), table.c.ended_at.is_not(None))
        # Of these there may be thousands between two syncs.
        .where(~table.c.options.startswith('{"woken"', autoescape=True))
        .order_by(table.c.started_at.desc(), table.c.id.desc())
        .limit(RUNS_BACK)
    )

    with store.transaction() as connection:
        for row in connection.execute(query):
            options = json.loads(row.options)
            if "rescreen" in options:
                complete = bool(row.summary and json.loads(row.summary).get("complete"))
                yield _Sync(row.started_at, options, complete)
