"""Records that must be looked at again whatever the feed says: refused, deferred, or reached by an opt-out."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, select, tuple_

from . import schema
from .sql import delete_among, ids_by_object, in_batches, select_among, upsert
from .store import Store

_CODE_LENGTH = 80


class PendingReason(StrEnum):
    """Why a record waits to be looked at again."""

    PERMISSION = "permission"  # it holds a number that somebody opted out
    FAILED = "failed"  # the CRM refused its change
    DEFERRED = "deferred"  # a lookup failed for a passing reason, or the budget was used up
    CONFLICT = "conflict"  # it changed between our read and our write


@dataclass(frozen=True, slots=True)
class PendingRow:
    """One waiting record, with the CRM's code and words where it refused a change; an opt-out's reach keeps those."""

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
        if not (waiting := list(rows)):
            return

        self._has_left = self._has_left or any(row.reason is not PendingReason.PERMISSION for row in waiting)
        with self._store.transaction() as connection:
            _upsert_rows(connection, self._org_id, self._run_id, waiting, now)

    def enqueue(self, keys: Iterable[tuple[str, str]], now: datetime) -> None:
        """Let the records, (object, record id) each, wait because an opt-out reached them."""
        if records := list(keys):
            with self._store.transaction() as connection:
                enqueue_holders(connection, self._org_id, self._run_id, records, now)

    def left(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PendingReason]:
        """Return record -> reason for those of the records that this run has handled and left to the next one."""
        if not self._has_left:
            return {}

        table = schema.pending
        columns = [table.c.record_id, table.c.reason]
        found: dict[tuple[str, str], PendingReason] = {}

        with self._store.transaction() as connection:
            for name, ids in ids_by_object(keys).items():
                theirs = {"org_id": self._org_id, "run_id": self._run_id, "object": name}
                for record_id, reason in select_among(connection, columns, theirs, table.c.record_id, ids):
                    if reason != PendingReason.PERMISSION:
                        found[name, record_id] = PendingReason(reason)
        return found

    def refused(self, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of the records whose last change the CRM has refused."""
        table = schema.pending
        found: set[tuple[str, str]] = set()
        with self._store.transaction() as connection:
            for name, ids in ids_by_object(keys).items():
                theirs = {"org_id": self._org_id, "object": name}
                rows = select_among(connection, [table.c.record_id, table.c.code], theirs, table.c.record_id, ids)
                found.update((name, record_id) for record_id, code in rows if code)
        return found

    def remove(self, keys: Sequence[tuple[str, str]]) -> None:
        """Forget the records: each has an outcome."""
        if not keys:
            return
        table = schema.pending
        with self._store.transaction() as connection:
            for name, ids in ids_by_object(keys).items():
                delete_among(connection, {"org_id": self._org_id, "object": name}, table.c.record_id, ids)

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
        of_run: str | None = None,
        refused: bool = True,
    ) -> list[PendingRow]:
        """Return waiting records in the order of (object, record id), at most ``limit`` of those behind ``after``.

        ``reason`` restricts them to one reason, ``objects`` to the records of these objects; ``before_run`` leaves out
        those that this run added, ``of_run`` all others; ``refused`` False those whose last change the CRM has refused.
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
        if of_run is not None:
            query = query.where(table.c.run_id == of_run)
        if not refused:
            query = query.where(table.c.code == "")

        with self._store.transaction() as connection:
            return [
                PendingRow(row.object, row.record_id, PendingReason(row.reason), row.code, row.message)
                for row in connection.execute(query)
            ]

    def count(self) -> dict[str, int]:
        """Return reason -> how many records wait for it."""
        table = schema.pending
        query = (
            select(table.c.reason, func.count().label("rows"))
            .where(table.c.org_id == self._org_id)
            .group_by(table.c.reason)
        )

        with self._store.transaction() as connection:
            rows = connection.execute(query)
            return {row.reason: row.rows for row in rows}


def enqueue_holders(
    connection: Connection, org_id: int, run_id: str, records: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Let records wait because the opt-out on a number that they hold has changed, in the caller's transaction.

    What the CRM said when it refused one of them stays: such rows come behind all others under a limit.
    """
    rows = [PendingRow(*record, PendingReason.PERMISSION) for record in records]
    _upsert_rows(connection, org_id, run_id, rows, now, keep=("code", "message"))


def _upsert_rows(
    connection: Connection,
    org_id: int,
    run_id: str,
    rows: Sequence[PendingRow],
    now: datetime,
    keep: Sequence[str] = (),
) -> None:
    common = {"org_id": org_id, "run_id": run_id, "since": now}
    values = [
        {
            **common,
            "object": row.object,
            "record_id": row.record_id,
            "reason": row.reason.value,
            "code": row.code[:_CODE_LENGTH],
            "message": row.message,
        }
        for row in rows
    ]

    upsert(connection, schema.pending, values, keep)
