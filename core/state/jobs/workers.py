"""Which processes take jobs right now: each keeps a row, and renews it by the clock that all of them share."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select, update

from ...errors import RingfenceError, StoppedError
from ...ports.services import Clock
from .. import schema
from ..leases import Holder, is_alive, this_process
from ..sql import moment
from ..store import Store, refuse_moved

RENEW_S = 10.0
"""How often a worker says that it is alive, in seconds."""

SILENCE = timedelta(seconds=30)
"""After this a worker that cannot be looked for counts as dead."""

FAREWELL_S = 2.0
"""How long a worker that ends waits for the store to note it, in seconds."""

FORGOTTEN = timedelta(hours=1)
"""After this the row of a dead worker goes."""

logger = logging.getLogger(__name__)


class Registration:
    """The row of one worker. ``fault`` is the error that keeps it from ever being renewed again, if there is one."""

    def __init__(self, store: Store, clock: Clock, queues: Sequence[str]) -> None:
        self.id = uuid4().hex
        self.fault: RingfenceError | None = None
        self._store = store
        self._clock = clock
        self._queues = json.dumps(list(queues))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name="ringfence-heartbeat", daemon=True)

    def begin(self) -> None:
        """Put the worker on record, and keep it alive from now on."""
        here = this_process()
        with self._store.transaction() as connection:
            refuse_moved(connection)
            now = moment(connection, self._clock.now())
            table = schema.workers
            connection.execute(delete(table).where(table.c.renewed_at < now - FORGOTTEN))
            connection.execute(insert(table).values(**self._row(here), renewed_at=now))
        self._thread.start()

    def end(self) -> None:
        """Take the worker off the record, unless the store is away: then it counts as dead after a while."""
        self._over.set()
        thread = threading.Thread(target=self._delete, name="ringfence-farewell", daemon=True)
        thread.start()
        thread.join(FAREWELL_S)

    def _delete(self) -> None:
        table = schema.workers
        with suppress(RingfenceError), self._store.transaction() as connection:
            connection.execute(delete(table).where(table.c.id == self.id))

    def renew(self) -> None:
        """Say that the worker is alive; one whose row was taken away in a long silence is put on record again."""
        table = schema.workers
        with self._store.transaction() as connection:
            refuse_moved(connection)
            now = moment(connection, self._clock.now())
            renewed = connection.execute(update(table).where(table.c.id == self.id).values(renewed_at=now))
            if not renewed.rowcount:
                connection.execute(insert(table).values(**self._row(this_process()), renewed_at=now))

    def _row(self, here: Holder) -> dict[str, object]:
        return {
            "id": self.id,
            "host": here.host,
            "pid": here.pid,
            "process_started": here.started,
            "queues": self._queues,
        }

    def _keep_renewing(self) -> None:
        while not self._over.wait(RENEW_S):
            try:
                self.renew()
            except StoppedError as error:
                logger.info("no sign of life could be given", extra={"error": error.message})
            except RingfenceError as error:
                self.fault = error
                return


@contextmanager
def registered(store: Store, clock: Clock, queues: Sequence[str]) -> Iterator[Registration]:
    """Keep this process on record as a worker of these queues for the block."""
    registration = Registration(store, clock, queues)
    registration.begin()
    try:
        yield registration
    finally:
        registration.end()


def count_others(store: Store, clock: Clock, queue: str) -> int:
    """Return how many other processes take jobs of the queue right now."""
    here = this_process()
    with store.transaction() as connection:
        rows = alive(connection, clock.now())
    return len({(row.host, row.pid) for row in rows if queue in json.loads(row.queues)} - {(here.host, here.pid)})


def served_queues(store: Store, clock: Clock) -> set[str]:
    """Return the queues whose jobs any process takes right now."""
    with store.transaction() as connection:
        rows = alive(connection, clock.now())
    return {queue for row in rows for queue in json.loads(row.queues)}


def alive(connection: Connection, now: datetime) -> list[Row[tuple[object, ...]]]:
    """Return the rows of the workers that are alive; ``now`` (UTC) counts where the store has no clock of its own."""
    here, agreed = this_process(), moment(connection, now)
    return [
        row
        for row in connection.execute(select(schema.workers))
        if is_alive(Holder(row.host, row.pid, row.process_started), here, agreed - row.renewed_at, SILENCE)
    ]
