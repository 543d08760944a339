"""Leases: who is syncing an org right now. One run of an org at a time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ..errors import BusyError, RingfenceError
from . import schema
from .sql import insert_missing, moment
from .store import Store, refuse_moved

EXPIRY = timedelta(minutes=15)
"""How long after its last heartbeat a lease is abandoned, where its process cannot be looked for."""

SIGNS_EXPIRY = timedelta(seconds=60)
"""The same for a process of another machine that gives signs of life by itself, as what a worker carries out does.

A run that waits so long for a server that went away has ended by then.
"""

_RENEW_AFTER = timedelta(seconds=30)

_AT_WORK: set[str] = set()
"""The runs of this process that hold a lease; not one that is over and could not give its lease back."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs a sync.

    ``started`` is when it began, in the system's own terms: it tells two processes that got the same id apart. It is
    empty where the system does not say.
    """

    host: str
    pid: int
    started: str


def this_process() -> Holder:
    """Return the holder that this process is."""
    return Holder(socket.gethostname(), os.getpid(), _process_start(os.getpid()))


class Lease:
    """The right to sync an org, held by one run.

    A dry run holds it in the live store, not in the one that it rehearses on: others must see it.
    """

    def __init__(self, store: Store, org_id: int, run_id: str, renewed_at: datetime) -> None:
        self._store = store
        self._org_id = org_id
        self._run_id = run_id
        self._renewed_at = renewed_at
        self._sender: threading.Thread | None = None

    def renew(self, now: datetime) -> None:
        """Record a heartbeat at the moment ``now`` (UTC): the run is alive.

        Cheap enough to call often, because only one call in half a minute writes. Raises BusyError when another run
        has taken the lease over.
        """
        # A clock that was set back has to be written as well, or nothing would be renewed until it catches up.
        if timedelta(0) <= now - self._renewed_at < _RENEW_AFTER:
            return

        table = schema.leases
        with self._store.transaction() as connection:
            result = connection.execute(
                update(table)
                .where(table.c.org_id == self._org_id, table.c.run_id == self._run_id)
                .values(renewed_at=moment(connection, now))
            )

        if not result.rowcount:
            raise BusyError(f"Another run took over from run {self._run_id}.", "It goes on from where this one was.")
        self._renewed_at = now

    def keep_for(self, sender: threading.Thread | None) -> None:
        """Let :meth:`release` wait for this thread, which may still be sending when the run is over.

        Nobody else may begin before it ends. None: nothing is being sent.
        """
        self._sender = sender

    def release(self) -> None:
        """Give the lease back, now or, where something is still being sent, from a thread that waits for that."""
        sender = self._sender
        if sender is None or not sender.is_alive():
            self._give_back()
            return

        threading.Thread(target=self._release_after, args=(sender,), name="ringfence-lease", daemon=True).start()

    def _release_after(self, sender: threading.Thread) -> None:
        sender.join()
        # Nobody is left who could handle an error; the next run finds a lease whose process has ended, or an old one.
        with suppress(RingfenceError):
            self._give_back()

    def _give_back(self) -> None:
        table = schema.leases
        # First, for where the store is away the lease stays, and the next run of this process need not wait for it.
        _AT_WORK.discard(self._run_id)
        with self._store.transaction() as connection:
            connection.execute(delete(table).where(table.c.org_id == self._org_id, table.c.run_id == self._run_id))


def take_lease(store: Store, org_id: int, run_id: str, now: datetime, holder: Holder) -> Lease:
    """Return the lease on an org for the run, taken at the moment ``now`` (UTC) by the process ``holder``.

    An abandoned lease is taken over: one whose process has ended or, where that cannot be looked for, one that was not
    renewed for :data:`EXPIRY`, or whose process has fallen silent that gave signs of life. Where the store has a
    server, its clock counts. Raises BusyError, which names the holder, when the lease is held.
    """
    table = schema.leases
    values: dict[str, object] = {
        "run_id": run_id,
        "host": holder.host,
        "pid": holder.pid,
        "process_started": holder.started,
    }

    with _at_work(run_id), store.transaction() as connection:
        refuse_moved(connection)
        agreed = moment(connection, now)
        values |= {"taken_at": agreed, "renewed_at": agreed}
        held = None
        while held is None:  # on PostgreSQL the other run may give it back between the two statements
            insert_missing(connection, table, [{"org_id": org_id, **values}])
            held = connection.execute(select(table).where(table.c.org_id == org_id)).one_or_none()

        if held.run_id != run_id:
            _take_over(connection, held, values, holder, moment(connection, now))
    return Lease(store, org_id, run_id, now)


@contextmanager
def _at_work(run_id: str) -> Iterator[None]:
    """Enter the run among those of this process before others can see its lease; not one that gets none."""
    _AT_WORK.add(run_id)
    try:
        yield
    except BaseException:
        _AT_WORK.discard(run_id)
        raise


def _take_over(connection: Connection, held: Row[Any], values: dict[str, object], here: Holder, now: datetime) -> None:
    if is_held(held, here, now) and not _has_fallen_silent(connection, held, here, now):
        raise BusyError(
            f"Another sync of this org is running: run {held.run_id}, process {held.pid} on {held.host}, "
            f"since {held.taken_at:%Y-%m-%d %H:%M:%S} UTC.",
            "Wait for it, or end it; the next run goes on from there.",
        )

    table = schema.leases
    taken = connection.execute(
        update(table).where(table.c.org_id == held.org_id, table.c.run_id == held.run_id).values(**values)
    )
    if not taken.rowcount:
        raise BusyError("Another sync of this org has just started.", "Wait for it.")


def is_held(lease: Row[Any], here: Holder, now: datetime) -> bool:
    """Return whether the run of a lease, a row of its table, may still be at work; ``here`` is this process."""
    holder = Holder(lease.host, lease.pid, lease.process_started)
    if holder == here and not works_here(lease.run_id):
        return False
    return is_alive(holder, here, now - lease.renewed_at)


def _has_fallen_silent(connection: Connection, lease: Row[Any], here: Holder, now: datetime) -> bool:
    """Return whether the holder of a lease, on another machine, has given signs of life and gives none any more."""
    table = schema.workers
    query = select(table.c.renewed_at).where(
        table.c.host == lease.host, table.c.pid == lease.pid, table.c.process_started == lease.process_started
    )
    last = None if lease.host == here.host else connection.scalars(query.order_by(table.c.renewed_at.desc())).first()
    return last is not None and now - last >= SIGNS_EXPIRY


def works_here(run_id: str) -> bool:
    """Return whether the run holds a lease in this process."""
    return run_id in _AT_WORK


def is_alive(other: Holder, here: Holder, since_heartbeat: timedelta, expiry: timedelta = EXPIRY) -> bool:
    """Return whether the other process may still be at work, ``here`` being this one.

    Only those of this machine can be looked for; one of another is trusted for ``expiry`` after its heartbeat.
    """
    # That this process is alive says nothing about an earlier run in it, which may have failed to give the lease back.
    if other.host == here.host and other != here:
        started = _process_start(other.pid)
        if started and other.started:
            return started == other.started
        if not _exists(other.pid):
            return False
    return since_heartbeat < expiry


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_start(pid: int) -> str:
    """Return when a process began, in the system's own terms; empty where it does not say."""
    try:
        # Behind the command's name in brackets, which may hold spaces; fields 3 and 22 of proc(5) are the state and
        # the start time. A process that has ended keeps its number until its parent asks for the outcome.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "ended" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""
