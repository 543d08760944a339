"""Limits of calls that all processes on one state store keep together: a row for each outside account.

Each question about it is a short transaction in which the row is locked. Moments are those of the server, where there
is one, else of the machine whose processes share the file.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, func, select, update

from ..ports.call_limits import Check, Rate, Ticket, refuse_long_pause
from ..ports.call_standing import Call, CallStanding, Pause, Window
from ..ports.services import Clock
from . import schema
from .leases import Holder, is_alive, this_process
from .postgres import is_postgres
from .sql import insert_missing, moment
from .store import Store

LOOK_AGAIN_S = 0.1
"""How old, in seconds, what is known of a pause may be: whoever has been told of one may have told others by then."""

_TABLE = schema.call_limits
_OF_ACCOUNT = _TABLE.c.account == bindparam("of_account")

# Made once, because each call goes through them. The first one locks the row on either engine.
_LOCK = update(_TABLE).where(_OF_ACCOUNT).values(standing=_TABLE.c.standing).returning(_TABLE.c.standing)
_LOCK_ON_SERVER = _LOCK.returning(func.set_config("synchronous_commit", "off", True))
"""Likewise, for a server whose disk need not be waited for: what a crash of it takes away is of the last second."""

_SAVE = update(_TABLE).where(_OF_ACCOUNT).values(standing=bindparam("new_standing"))
_LOOK = select(_TABLE.c.standing).where(_OF_ACCOUNT)

Result = TypeVar("Result")


class SharedLimits:
    """A :class:`ringfence.core.ports.call_limits.CallLimits` for all processes on a store.

    While the store is away no call is let through: each waits as long as every use of the store does, and fails then.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._here = this_process()
        self._holder = json.dumps([self._here.host, self._here.pid, self._here.started])
        self._ids = count()
        self._known: dict[str, tuple[float, CallStanding, float]] = {}
        self._lock = threading.Lock()

    def reserve(self, account: str, kind: str, rate: Rate) -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        return self._change(account, lambda standing, now: standing.reserve(kind, rate, self._holder, now))

    def pause(self, account: str, seconds: float, kind: str = "") -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        self._change(account, lambda standing, now: standing.pause(kind, seconds, now))
        with self._lock:
            self._known.pop(account, None)

    def paused(self, account: str, kind: str = "") -> float:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        standing, now = self._look(account)
        pause = standing.paused(kind, now)
        refuse_long_pause(pause)
        return pause

    def take(self, account: str, at_once: int, check: Check) -> Ticket | None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        ticket = Ticket(account, f"{self._here.host}:{self._here.pid}:{id(self)}:{next(self._ids)}")

        def take(standing: CallStanding, now: float) -> bool:
            return standing.take(ticket.id, self._holder, at_once, check, now, self._is_dead)

        return ticket if self._change(account, take) else None

    def give_back(self, ticket: Ticket, note: str | None = None) -> None:
        """See :class:`ringfence.core.ports.call_limits.CallLimits`."""
        self._change(ticket.account, lambda standing, now: standing.give_back(ticket.id, note, now))

    def _change(self, account: str, change: Callable[[CallStanding, float], Result]) -> Result:
        """Return what ``change`` returns, and keep what it has made of the account's standing; an error keeps it."""
        with self._store.transaction() as connection:
            standing = _read(self._locked(connection, account))
            result = change(standing, self._now(connection))
            connection.execute(_SAVE, {"of_account": account, "new_standing": _write(standing)})
        return result

    def _locked(self, connection: Connection, account: str) -> str:
        lock = _LOCK_ON_SERVER if is_postgres(self._store.engine.url) else _LOCK
        row = connection.execute(lock, {"of_account": account}).one_or_none()
        if row is None:
            insert_missing(connection, _TABLE, [{"account": account, "standing": "{}"}])
            row = connection.execute(lock, {"of_account": account}).one()
        return str(row[0])

    def _look(self, account: str) -> tuple[CallStanding, float]:
        """Return the account's standing and the present moment, from the store where what is known is too old."""
        with self._lock:
            known = self._known.get(account)
        looked_at = self._clock.monotonic()
        if known is None or not 0 <= looked_at - known[0] < LOOK_AGAIN_S:
            with self._store.transaction() as connection:
                text = connection.execute(_LOOK, {"of_account": account}).scalar_one_or_none()
                known = (looked_at, _read(text or "{}"), self._now(connection))
            with self._lock:
                self._known[account] = known
        return known[1], known[2] + (looked_at - known[0])

    def _now(self, connection: Connection) -> float:
        return moment(connection, self._clock.now()).timestamp()

    def _is_dead(self, holder: str) -> bool:
        host, pid, started = json.loads(holder)
        return not is_alive(Holder(host, pid, started), self._here, timedelta(0))


def _read(text: str) -> CallStanding:
    """Return a standing as it was written."""
    found: dict[str, Any] = json.loads(text)
    if not found:
        return CallStanding()
    windows = {}
    for kind, window in found["windows"].items():
        windows[kind] = Window(**{**window, "places": [int(each) / 1e6 for each in window["places"].split()]})
    return CallStanding(
        windows,
        {kind: Pause(**pause) for kind, pause in found["pauses"].items()},
        {id_: Call(**call) for id_, call in found["calls"].items()},
        found["note"],
        found["noted_at"],
    )


def _write(standing: CallStanding) -> str:
    windows = {
        kind: {
            # As one text of microseconds: a list of numbers takes several times as long to write, for each call.
            "places": " ".join([str(round(each * 1e6)) for each in window.places]),
            "spaced": window.spaced,
            "caller": window.caller,
            "shared_until": window.shared_until,
        }
        for kind, window in standing.windows.items()
    }
    found = {
        "windows": windows,
        "pauses": {kind: asdict(pause) for kind, pause in standing.pauses.items()},
        "calls": {id_: asdict(call) for id_, call in standing.calls.items()},
        "note": standing.note,
        "noted_at": standing.noted_at,
    }
    return json.dumps(found)
