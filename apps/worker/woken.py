"""Jobs of the kind ``targeted-sync``: the records of an account that somebody told us to look at."""

from __future__ import annotations

from ringfence.core.ports.jobs import JobRun

from ..operations.kept_connections import KeptConnections
from ..operations.waking import sync_woken
from ..wiring import Wiring
from .door import open_job_door


def sync_woken_records(wiring: Wiring, kept: KeptConnections, run: JobRun) -> str | None:
    """Sync the woken records of the job's account; return a remark where there is one to make."""
    return sync_woken(wiring, run.job.queue, open_job_door(run, "targeted sync"), kept)
