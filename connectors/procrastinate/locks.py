"""The locks of jobs whose moment has not come: set aside, so that they are in nobody's way, and given back in time.

Procrastinate lets a job hold up the later ones of its lock for as long as it waits, be it an hour until its next
attempt. Here it waits under a name of its own instead, and every worker gives locks back before it looks for a job.
"""

from __future__ import annotations

from datetime import datetime, timedelta

EARLY = timedelta(seconds=2)
"""How long before its moment a job gets its lock back: enough that no worker takes it without one."""

_ASIDE = "waits:"

RESTORED = f"regexp_replace(lock, '^{_ASIDE}[^:]*:', '')"
"""The SQL of a lock's proper name."""

GIVE_BACK = (
    f"UPDATE procrastinate_jobs SET lock = {RESTORED}"  # noqa: S608 - no data in it
    f" WHERE status = 'todo' AND starts_with(lock, '{_ASIDE}')"
    f" AND (scheduled_at IS NULL OR scheduled_at <= now() + make_interval(secs => {EARLY.total_seconds()}))"
)
"""The statement that gives back the locks of all whose moment has come."""


def set_aside(lock: str | None, owner: object, run_at: datetime | None, now: datetime) -> str | None:
    """Return the name under which a job waits for its moment: ``owner`` tells it from all others."""
    if lock is None or run_at is None or run_at <= now + EARLY:
        return lock
    return f"{_ASIDE}{owner}:{proper_name(lock)}"


def proper_name(lock: str | None) -> str | None:
    """Return the lock that a job holds when it runs."""
    return lock.split(":", 2)[2] if lock is not None and lock.startswith(_ASIDE) else lock
