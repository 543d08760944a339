"""Which records we have changed of late, by the journal, for the CRMs that show our own writes as changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from . import schema
from .change_codec import unpack_changes
from .journal import changes_of
from .store import Store


class OwnWrites:
    """Tells which records of an org the journal has writes of; see :class:`ringfence.core.ports.crm.OwnWrites`."""

    def __init__(self, store: Store, org_id: int) -> None:
        self._store = store
        self._org_id = org_id

    def __call__(
        self, object_name: str, since: datetime, before: datetime | None = None
    ) -> Iterator[tuple[datetime, Sequence[str]]]:
        """Yield (moment, record ids) of each batch planned from ``since`` to ``before``, newest first."""
        table = schema.batches
        for run_id, seq, planned_at in self._list_batches(since, before):
            query = select(table.c.payload).where(table.c.run_id == run_id, table.c.seq == seq)
            with self._store.transaction() as connection:
                payload = connection.scalar(query)

            changes = unpack_changes(self._store.keyring.open(payload, changes_of(run_id, seq))) if payload else ()
            if ids := [change.id for change in changes if change.object == object_name]:
                yield planned_at, ids

    def _list_batches(self, since: datetime, before: datetime | None) -> Sequence[Any]:
        table, runs = schema.batches, schema.runs
        # By run first, which has few rows: batches are many, and found by the id of their run alone.
        query = (
            select(table.c.run_id, table.c.seq, table.c.planned_at)
            .join(runs, runs.c.id == table.c.run_id)
            .where(runs.c.org_id == self._org_id, runs.c.dry_run.is_(False), table.c.planned_at >= since)
            .where(runs.c.ended_at.is_(None) | (runs.c.ended_at >= since))
            .order_by(table.c.planned_at.desc(), table.c.run_id.desc(), table.c.seq.desc())
        )
        if before is not None:
            query = query.where(table.c.planned_at <= before)

        with self._store.transaction() as connection:
            return connection.execute(query).all()
