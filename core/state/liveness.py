"""Whether a run that has no recorded end is still at work, or was killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from . import schema
from .leases import is_alive, this_process
from .run_history import Run, RunOutcome, find_run
from .sql import moment
from .store import Store

TRUSTED_FOR = timedelta(days=1)
"""How long a run of another machine that sends no heartbeat, such as the screening of a file, counts as at work."""


def as_it_stands(store: Store, run: Run, now: datetime) -> Run:
    """Return the run as it stands at the moment ``now`` (UTC): killed where its process is gone and left no end.

    The history itself says so only once another run of the account begins.
    """
    if run.outcome is not RunOutcome.RUNNING or _is_at_work(store, run, now):
        return run
    ended = find_run(store, run.id)  # between the two questions it may have come to its end
    if ended.outcome is not RunOutcome.RUNNING:
        return ended
    return replace(run, outcome=RunOutcome.KILLED, error="the process was killed or lost its machine")


def _is_at_work(store: Store, run: Run, now: datetime) -> bool:
    silent = _silent_for(store, run, now)
    if run.org_id is not None and silent is None:
        return False  # its lease is another run's, or was given back
    if run.process is None:
        return (now - run.started_at if silent is None else silent) < TRUSTED_FOR

    here = this_process()
    if run.process == here:
        return True
    if silent is None and run.process.host != here.host:
        return now - run.started_at < TRUSTED_FOR
    # Of this machine the process itself is looked for; where that cannot be done it counts as at work.
    return is_alive(run.process, here, silent or timedelta(0))


def _silent_for(store: Store, run: Run, now: datetime) -> timedelta | None:
    """Return how long ago the run's lease was renewed; None where it has none."""
    table = schema.leases
    query = select(table.c.renewed_at).where(table.c.org_id == run.org_id, table.c.run_id == run.id)
    with store.transaction() as connection:
        heartbeat = connection.scalar(query)
        return None if heartbeat is None else moment(connection, now) - heartbeat
