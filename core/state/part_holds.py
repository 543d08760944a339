"""Who works at a part of a run: the right to it, by the store's clock, and what becomes of it without a word.

Whoever works at a part holds it. A part whose holder is gone or silent is taken by another, who goes on at its
position. All of them work for one run: once that is over, or its lease is another's, none of its parts may go on.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from ..errors import BusyError
from ..model.run_outcome import RunOutcome
from . import schema
from .leases import Holder, is_alive, this_process
from .run_parts import UNDER_WAY, PartState, RunPart, as_part, end_parts, find_part, is_part, list_parts, select_parts
from .sql import moment
from .store import Store

SILENT_FOR = timedelta(seconds=45)
"""How long after its last word the holder of a part counts as gone, where its process cannot be looked for."""

HUNG_FOR = timedelta(seconds=150)
"""The same where its process is there: longer than any one call takes. One that goes on after all is kept out."""

COORDINATOR_SILENT_FOR = timedelta(seconds=75)
"""The same of the process that holds the run's lease, which says a word twice a minute."""

RENEW_AFTER = timedelta(seconds=10)


def hold_part(store: Store, run_id: str, part: int, now: datetime) -> PartHold | None:
    """Take a part that waits, or whose holder is gone; None where there is nothing to do. ``now`` is UTC."""
    table, me = schema.run_parts, this_process()
    found = find_part(store, run_id, part)
    if found is None or found.state not in UNDER_WAY:
        return None

    with store.transaction() as connection:
        agreed = moment(connection, now)
        if found.holder is not None and _is_at_work(found, me, agreed):
            return None
        if not _is_run_alive(connection, run_id, agreed):
            return None

        holder = json.dumps({**asdict(me), "token": secrets.token_hex(8)})
        # Of two who find it free, the second finds it changed.
        taken = connection.execute(
            update(table)
            .where(
                *is_part(run_id, part), table.c.holder.is_not_distinct_from(found.holder), table.c.state.in_(UNDER_WAY)
            )
            .values(holder=holder, renewed_at=agreed, state=PartState.RUNNING.value)
        )
    return PartHold(store, found, holder, now) if taken.rowcount else None


class PartHold:
    """The right to work at a part, held by one process. ``part`` is what it was when it was taken.

    ``lost`` tells that it is another's by now, ``is_run_alive`` that the run goes on, with this part or without it.
    """

    def __init__(self, store: Store, part: RunPart, holder: str, now: datetime) -> None:
        self.part = part
        self.silent = part.silent
        self.lost = False
        self.is_run_alive = True
        self._store = store
        self._holder = holder
        self._renewed_at = now
        self.rows_done = part.rows_done
        self.rows_total = part.rows_total

    def check(self, now: datetime) -> None:
        """Make sure that the part is still ours and its run under way, and say now and then that we are there.

        Raises BusyError where somebody else decides by now: this process must write nothing more of the part.
        """
        table = schema.run_parts
        with self._store.transaction() as connection:
            row = connection.execute(
                select(table.c.holder, table.c.state, table.c.silent).where(*self._ours)
            ).one_or_none()
            if row is None or row.holder != self._holder:
                raise self._lose()
            self.is_run_alive = _is_run_alive(connection, self.part.run_id, moment(connection, now))
            if not self.is_run_alive:
                raise BusyError(f"Run {self.part.run_id} is over, and its parts with it.", "There is nothing to do.")
            self.silent = row.silent
            ended = row.state != PartState.RUNNING.value
            if not timedelta(0) <= now - self._renewed_at < RENEW_AFTER:
                self._set(connection, renewed_at=moment(connection, now), **self._progress)
                self._renewed_at = now
        if ended:
            raise BusyError(f"Part {self.part.part} of run {self.part.run_id} was ended.", "Its run tells why.")

    def advance(self, rows: int, total: int | None) -> None:
        """Note that so many more rows have an outcome, and how many there are, where that is known."""
        self.rows_done += rows
        self.rows_total = total if total is not None else self.rows_total

    def keep(self, position: str | None, counts: Mapping[str, Any]) -> None:
        """Store how far the part is, and what is counted by that; BusyError where it is no longer ours."""
        with self._store.transaction() as connection:
            if not self._set(connection, position=position, counts=json.dumps(counts), **self._progress):
                raise self._lose()

    def tell(self, error: Mapping[str, Any]) -> None:
        """Record at once what keeps the part from all but silencing, so that the other parts hear of it."""
        with self._store.transaction() as connection:
            self._set(connection, error=json.dumps(error))

    def hand_back(self) -> None:
        """Let somebody else go on where the part was last stored; one that its run has ended stays ended."""
        with self._store.transaction() as connection:
            waits = update(schema.run_parts).where(*self._mine, schema.run_parts.c.state == PartState.RUNNING.value)
            connection.execute(waits.values(state=PartState.WAITING.value))
            self._set(connection, holder=None)

    def end(self, state: PartState, counts: Mapping[str, Any], error: Mapping[str, Any] | None = None) -> None:
        """Record that the part is over, and give it back."""
        with self._store.transaction() as connection:
            told = {"error": json.dumps(error)} if error else {}
            self._set(connection, state=state.value, counts=json.dumps(counts), holder=None, **self._progress, **told)

    def fail(self, error: Mapping[str, Any]) -> None:
        """Record an error that ends the part before it has begun, or goes on."""
        with self._store.transaction() as connection:
            self._set(connection, state=PartState.FAILED.value, holder=None, error=json.dumps(error))

    def leave(self, counts: Mapping[str, Any]) -> None:
        """Give back a part that its run has ended, with what was counted; one that is another's stays as it is."""
        with self._store.transaction() as connection:
            self._set(connection, counts=json.dumps(counts), holder=None, **self._progress)

    def _lose(self) -> BusyError:
        self.lost = True
        return BusyError(
            f"Part {self.part.part} of run {self.part.run_id} is another worker's by now.", "It does the rest."
        )

    @property
    def _ours(self) -> tuple[Any, ...]:
        return is_part(self.part.run_id, self.part.part)

    @property
    def _mine(self) -> tuple[Any, ...]:
        return (*self._ours, schema.run_parts.c.holder == self._holder)

    @property
    def _progress(self) -> dict[str, Any]:
        return {"rows_done": self.rows_done, "rows_total": self.rows_total}

    def _set(self, connection: Connection, **values: Any) -> bool:
        return connection.execute(update(schema.run_parts).where(*self._mine).values(**values)).rowcount == 1


def free_abandoned(store: Store, run_id: str, now: datetime) -> list[int]:
    """Let the parts of a run wait again whose holder is gone; return their numbers. One that was ended is over."""
    freed = []
    with store.transaction() as connection:
        agreed, me, table = moment(connection, now), this_process(), schema.run_parts
        held = table.c.holder.is_not(None) | (table.c.state == PartState.RUNNING.value)
        for row in connection.execute(select_parts(run_id).where(held)).all():
            part = as_part(row)
            if _is_at_work(part, me, agreed):
                continue
            state = PartState.WAITING if part.state is PartState.RUNNING else part.state
            given = update(table).where(*is_part(run_id, part.part), table.c.holder.is_not_distinct_from(part.holder))
            connection.execute(given.values(holder=None, state=state.value))
            freed.append(part.part)
    return freed


def end_other_runs(
    store: Store, org_id: int, run_id: str, now: Callable[[], datetime], wait: Callable[[], None]
) -> None:
    """End what other runs of the org have left in parts, and wait until nobody is at it any more.

    ``wait`` passes some time. Must be called under the org's lease: whoever still holds a part finds that it is
    another run's, and writes nothing from then on.
    """
    runs, parts = schema.runs, schema.run_parts
    others = select(parts.c.run_id).distinct().join(runs, runs.c.id == parts.c.run_id)
    with store.transaction() as connection:
        left = connection.scalars(others.where(runs.c.org_id == org_id, runs.c.id != run_id)).all()

    for other in left:
        end_parts(store, other)
        while True:
            free_abandoned(store, other, now())
            if not any(part.holder for part in list_parts(store, other)):
                break
            wait()


def _is_at_work(part: RunPart, me: Holder, now: datetime) -> bool:
    holder = json.loads(part.holder or "{}")
    holder.pop("token", None)
    silence = now - part.renewed_at if part.renewed_at else timedelta.max
    return bool(holder) and silence < HUNG_FOR and is_alive(Holder(**holder), me, silence, SILENT_FOR)


def _is_run_alive(connection: Connection, run_id: str, now: datetime) -> bool:
    """Return whether the run has its org's lease still, and the process that coordinates it is there."""
    leases, runs = schema.leases, schema.runs
    query = (
        select(leases.c.host, leases.c.pid, leases.c.process_started, leases.c.renewed_at)
        .join(runs, (runs.c.org_id == leases.c.org_id) & (runs.c.id == leases.c.run_id))
        .where(runs.c.id == run_id, runs.c.outcome == RunOutcome.RUNNING.value)
    )
    lease = connection.execute(query).one_or_none()
    if lease is None:
        return False
    coordinator = Holder(lease.host, lease.pid, lease.process_started)
    return is_alive(coordinator, this_process(), now - lease.renewed_at, COORDINATOR_SILENT_FOR)
