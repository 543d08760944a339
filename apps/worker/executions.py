"""Jobs of the kind ``complete-executions``: what workflows of an account wait for."""

from __future__ import annotations

from contextlib import closing

from ringfence.core.ports.jobs import AttemptError, JobRun

from ..operations.executions import complete_executions
from ..wiring import Wiring
from .door import open_job_door

AUTHOR = "workflow"
"""Who acts, for the history of runs."""


def complete_waiting(wiring: Wiring, run: JobRun) -> str | None:
    """Complete what waits of the portal of a job; return a remark where something has to wait on.

    Raises AttemptError for a job that names no portal.
    """
    # Imported here because every command would load it, and only those that serve count anything.
    from ..web.metrics import count  # noqa: PLC0415

    portal = run.job.arguments.get("portal")
    if not isinstance(portal, str):
        raise AttemptError("The job names no portal.", "Cancel it; the next execution brings one.", exit_code=2)
    door = open_job_door(run, AUTHOR)
    with closing(wiring.open_state()) as store:
        tally = complete_executions(wiring, wiring.open_jobs(store), store, run.job.queue, portal, door)
    for result, number in tally.results.items():
        count("workflow_completions", by=number, result=result)
    run.report(dict(tally.results))
    return f"{tally.put_off:,} executions are tried again later." if tally.put_off else None
