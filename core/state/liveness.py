"""Whether a run that has no recorded end is still at work, or was killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from ..model.run_outcome import RunOutcome
from . import schema
from .leases import Holder, is_alive, this_process, works_here
from .run_history import KILLED_WORDS, Run, find_run, list_unended, mark_killed
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
    return replace(run, outcome=RunOutcome.KILLED, error=KILLED_WORDS)


def find_screening(connection: Connection, now: datetime, began_before: datetime | None = None) -> Run | None:
    """Return a run of no account that may be at work, such as the screening of a file; None where there is none.

    ``now`` (UTC) is the moment by the store's clock; ``began_before`` leaves younger runs out.
    """
    here = this_process()
    unended = (run for run in list_unended(connection) if began_before is None or run.started_at < began_before)
    at_work = (run for run in unended if _may_be_at_work(run.process, here, now - run.started_at))
    return next(at_work, None)


def end_killed_screenings(store: Store, now: datetime) -> int:
    """Record the end of runs of no account whose process is gone, and return how many; ``now`` is UTC.

    What they have asked a provider and got no answer to is lost from then on, and nobody waits for it.
    """
    here = this_process()
    with store.transaction() as connection:
        since = moment(connection, now)
        gone = [
            run.id
            for run in list_unended(connection)
            if run.process is not None and not _may_be_at_work(run.process, here, since - run.started_at)
        ]
        return mark_killed(connection, gone, now)


def _may_be_at_work(process: Holder | None, here: Holder, age: timedelta) -> bool:
    """Return whether a run without a lease may be at work, which began so long ago."""
    if process is None or process.host != here.host:
        return age < TRUSTED_FOR
    # Of this machine the process itself is looked for; where that cannot be done it counts as at work.
    return process == here or is_alive(process, here, timedelta(0))


def _is_at_work(store: Store, run: Run, now: datetime) -> bool:
    here = this_process()
    if run.org_id is None:
        return _may_be_at_work(run.process, here, now - run.started_at)

    silent = _silent_for(store, run, now)
    if silent is None:
        return False  # its lease is another run's, or was given back
    if run.process is None:
        return silent < TRUSTED_FOR
    return works_here(run.id) if run.process == here else is_alive(run.process, here, silent)


def _silent_for(store: Store, run: Run, now: datetime) -> timedelta | None:
    """Return how long ago the run's lease was renewed; None where it has none."""
    table = schema.leases
    query = select(table.c.renewed_at).where(table.c.org_id == run.org_id, table.c.run_id == run.id)
    with store.transaction() as connection:
        heartbeat = connection.scalar(query)
        return None if heartbeat is None else moment(connection, now) - heartbeat
