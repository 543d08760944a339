"""Records that were merged away: their opt-outs are handed over, once, to the records that hold their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from . import schema
from .holdings import Key
from .sql import ids_by_object, select_among, upsert


class MergedRecords:
    """The merged records of one org, as one run sees them. Every method works in the caller's transaction."""

    def __init__(self, org_id: int, run_id: str) -> None:
        self._org_id = org_id
        self._run_id = run_id

    def add(self, connection: Connection, records: Iterable[Key]) -> None:
        """Record that these records, (object, record id) each, were seen as merged away or deleted."""
        rows = [
            {
                "org_id": self._org_id,
                "object": name,
                "record_id": record_id,
                "handed_over": False,
                "first_seen_run_id": self._run_id,
                "last_seen_run_id": self._run_id,
            }
            for name, record_id in sorted(records)
        ]

        upsert(connection, schema.merged_records, rows, keep=("handed_over", "first_seen_run_id"))

    def find_handed_over(self, connection: Connection, records: Iterable[Key]) -> set[Key]:
        """Return those of the records whose opt-out was handed over before."""
        column = schema.merged_records.c.record_id
        found: set[Key] = set()
        for name, ids in ids_by_object(records).items():
            theirs = {"org_id": self._org_id, "handed_over": True, "object": name}
            found.update((name, each) for (each,) in select_among(connection, [column], theirs, column, ids))
        return found

    def list_handing_over(self, connection: Connection) -> list[Key]:
        """Return the records whose opt-out is being handed over."""
        table = schema.merged_records
        query = select(table.c.object, table.c.record_id).where(
            table.c.org_id == self._org_id, table.c.handed_over.is_(False)
        )
        return [(row.object, row.record_id) for row in connection.execute(query)]

    def mark_handed_over(self, connection: Connection) -> None:
        """Record that the opt-outs of all merged records have been handed over."""
        table = schema.merged_records
        connection.execute(
            update(table).where(table.c.org_id == self._org_id, table.c.handed_over.is_(False)).values(handed_over=True)
        )

    def forget_unseen(self, connection: Connection, object_name: str) -> None:
        """Forget the object's merged records that the CRM did not name to this run."""
        table = schema.merged_records
        connection.execute(
            delete(table).where(
                table.c.org_id == self._org_id,
                table.c.object == object_name,
                table.c.last_seen_run_id != self._run_id,
            )
        )
