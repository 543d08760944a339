"""Records that must be looked at again whatever the feed says: refused, deferred, or reached by an opt-out."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, tuple_

from . import schema
from .sql import delete_among, in_batches, put, select_among
from .store import Store


class PendingReason(StrEnum):
    """Why a record waits."""

    PERMISSION = "permission"  # it holds a number that somebody opted out
    FAILED = "failed"  # the CRM refused its change
    DEFERRED = "deferred"  # a lookup failed for a passing reason, or the budget was used up
    CONFLICT = "conflict"  # it changed between our read and our write


@dataclass(frozen=True, slots=True)
class PendingRow:
    """One waiting record, with the CRM's code and words where it refused a change."""

    object: str
    record_id: str
    reason: PendingReason
    code: str = ""
    message: str = ""


class Pending:
    """The waiting records of one org."""

    def __init__(self, store: Store, org_id: int, run_id: str) -> None:
        self._store = store
        self._org_id = org_id
        self._run_id = run_id
        self._has_left = False

    def put(self, rows: Iterable[PendingRow], now: datetime) -> None:
        """Let the records wait for the next run, with this reason in place of an earlier one."""
        if kept := [self._row(row, now) for row in rows]:
            self._has_left = self._has_left or any(row["reason"] != PendingReason.PERMISSION for row in kept)
            with self._store.transaction() as connection:
                put(connection, schema.pending, kept)

    def enqueue(self, keys: Iterable[tuple[str, str]], now: datetime) -> None:
        """Let the records wait because an opt-out reached them."""
        self.put((PendingRow(name, id_, PendingReason.PERMISSION) for name, id_ in keys), now)

    def left(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PendingReason]:
        """Return those of the records that this run has handled and left to the next one, with the reason of each."""
        if not self._has_left:
            return {}
        table, ours = schema.pending, {"org_id": self._org_id, "run_id": self._run_id}
        found: dict[tuple[str, str], PendingReason] = {}
        with self._store.transaction() as connection:
            for name, ids in _by_object(keys).items():
                columns, theirs = [table.c.record_id, table.c.reason], {**ours, "object": name}
                for record_id, reason in select_among(connection, columns, theirs, table.c.record_id, ids):
                    if reason != PendingReason.PERMISSION:
                        found[name, record_id] = PendingReason(reason)
        return found

    def remove(self, keys: Sequence[tuple[str, str]]) -> None:
        """Forget the records: each has an outcome."""
        if not keys:
            return
        table = schema.pending
        with self._store.transaction() as connection:
            for name, theirs in _by_object(keys).items():
                delete_among(connection, {"org_id": self._org_id, "object": name}, table.c.record_id, theirs)

    def remove_settled(self, object_name: str, ids: Iterable[str], still_due: Container[str]) -> None:
        """Forget those of the records that are not due after all, unless an opt-out has reached them since."""
        table = schema.pending
        settled = [id_ for id_ in ids if id_ not in still_due]
        with self._store.transaction() as connection:
            for some in in_batches(settled):
                connection.execute(
                    delete(table).where(
                        table.c.org_id == self._org_id,
                        table.c.object == object_name,
                        table.c.record_id.in_(some),
                        table.c.reason != PendingReason.PERMISSION.value,
                    )
                )

    def next(
        self,
        after: tuple[str, str],
        limit: int,
        reason: PendingReason | None = None,
        *,
        objects: Collection[str] | None = None,
        before_run: str | None = None,
    ) -> list[PendingRow]:
        """Return waiting records in key order, behind ``after``.

        ``reason`` picks one kind, ``objects`` the records of these; ``before_run`` leaves out what that run added.
        """
        table = schema.pending
        query = (
            select(table)
            .where(table.c.org_id == self._org_id, tuple_(table.c.object, table.c.record_id) > tuple_(*after))
            .order_by(table.c.object, table.c.record_id)
            .limit(limit)
        )
        if reason is not None:
            query = query.where(table.c.reason == reason.value)
        if objects is not None:
            query = query.where(table.c.object.in_(list(objects)))
        if before_run is not None:
            query = query.where(table.c.run_id != before_run)
        with self._store.transaction() as connection:
            return [
                PendingRow(row.object, row.record_id, PendingReason(row.reason), row.code, row.message)
                for row in connection.execute(query)
            ]

    def count(self) -> dict[str, int]:
        """Return how many records wait, by reason."""
        table = schema.pending
        with self._store.transaction() as connection:
            rows = connection.execute(
                select(table.c.reason, func.count().label("rows"))
                .where(table.c.org_id == self._org_id)
                .group_by(table.c.reason)
            )
            return {row.reason: row.rows for row in rows}

    def _row(self, row: PendingRow, now: datetime) -> dict[str, object]:
        return {
            "org_id": self._org_id,
            "object": row.object,
            "record_id": row.record_id,
            "reason": row.reason.value,
            "code": row.code[:80],
            "message": row.message,
            "run_id": self._run_id,
            "since": now,
        }


def _by_object(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for name, record_id in keys:
        ids.setdefault(name, []).append(record_id)
    return ids
