"""Whether this process carries out a worker's job: nobody watches it, and its worker waits for it."""

from __future__ import annotations


class _Standing:
    """What the process is, set once as it begins."""

    is_workers_job = False


def carry_out_for_worker() -> None:
    """Note that this process carries out a worker's job."""
    _Standing.is_workers_job = True


def is_workers_job() -> bool:
    """Return whether this process carries out a worker's job."""
    return _Standing.is_workers_job
