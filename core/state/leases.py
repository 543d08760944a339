"""Who is syncing an org right now: one run at a time."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select, update

from ..errors import BusyError, RingfenceError
from . import schema
from .sql import add_missing
from .store import Store

EXPIRY = timedelta(minutes=15)
"""Silence after which a lease counts as left behind, where its process cannot be looked for."""

_RENEW_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs a sync. ``born`` tells two processes with one id apart, where the system says it."""

    host: str
    pid: int
    born: str


def this_process() -> Holder:
    """Return the holder that this process is."""
    return Holder(socket.gethostname(), os.getpid(), _born(os.getpid()))


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
        """Say that the run is alive; cheap enough to call often. Raises BusyError when another run has taken over."""
        # A clock that was set back has to be written as well, or nothing would be renewed until it catches up.
        if timedelta(0) <= now - self._renewed_at < _RENEW_AFTER:
            return
        table = schema.leases
        with self._store.transaction() as connection:
            result = connection.execute(
                update(table)
                .where(table.c.org_id == self._org_id, table.c.run_id == self._run_id)
                .values(renewed_at=now)
            )
        if not result.rowcount:
            raise BusyError(f"Another run took over from run {self._run_id}.", "It goes on from where this one was.")
        self._renewed_at = now

    def keep_for(self, sender: threading.Thread | None) -> None:
        """Take in that this thread may still be sending when the run is over: nobody else may begin before it ends."""
        self._sender = sender

    def release(self) -> None:
        """Give the right back, or leave that to a thread of its own where something is still being sent."""
        sender = self._sender
        if sender is None or not sender.is_alive():
            self._release()
            return
        threading.Thread(target=self._release_after, args=(sender,), name="ringfence-lease", daemon=True).start()

    def _release_after(self, sender: threading.Thread) -> None:
        sender.join()
        # Nobody is there to be told; whoever comes next finds the lease of a process that has ended, or an old one.
        with suppress(RingfenceError):
            self._release()

    def _release(self) -> None:
        table = schema.leases
        with self._store.transaction() as connection:
            connection.execute(delete(table).where(table.c.org_id == self._org_id, table.c.run_id == self._run_id))


def take_lease(store: Store, org_id: int, run_id: str, now: datetime, holder: Holder) -> Lease:
    """Return the lease on an org; one whose process is gone is taken over.

    Where its process cannot be looked for, one that was not renewed for long is.

    Raises BusyError that says who holds it.
    """
    table = schema.leases
    values = {
        "run_id": run_id,
        "host": holder.host,
        "pid": holder.pid,
        "born": holder.born,
        "taken_at": now,
        "renewed_at": now,
    }
    with store.transaction() as connection:
        held = None
        while held is None:  # on PostgreSQL the other run may give it back between the two statements
            add_missing(connection, table, [{"org_id": org_id, **values}])
            held = connection.execute(select(table).where(table.c.org_id == org_id)).one_or_none()
        if held.run_id != run_id:
            if _is_alive(Holder(held.host, held.pid, held.born), holder, now - held.renewed_at):
                raise BusyError(
                    f"Another sync of this org is running: run {held.run_id}, process {held.pid} on {held.host}, "
                    f"since {held.taken_at:%Y-%m-%d %H:%M:%S} UTC.",
                    "Wait for it, or end it; the next run goes on from there.",
                )
            taken = connection.execute(
                update(table).where(table.c.org_id == org_id, table.c.run_id == held.run_id).values(**values)
            )
            if not taken.rowcount:
                raise BusyError("Another sync of this org has just started.", "Wait for it.")
    return Lease(store, org_id, run_id, now)


def _is_alive(other: Holder, here: Holder, silent_for: timedelta) -> bool:
    """Return whether the other process may still be at work. Only those of this machine can be looked for."""
    # That this process is alive says nothing about an earlier run in it, which may have failed to give the lease back.
    if other.host == here.host and other != here:
        born = _born(other.pid)
        if born and other.born:
            return born == other.born
        if not _exists(other.pid):
            return False
    return silent_for < EXPIRY


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _born(pid: int) -> str:
    """Return when a process began, in the system's own terms; empty where it does not say."""
    try:
        # Behind the command's name in brackets, which may hold spaces; fields 3 and 22 of proc(5) are the state and
        # the start time. A process that has ended keeps its number until its parent asks for the outcome.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "ended" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""
