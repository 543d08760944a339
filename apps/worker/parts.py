"""Jobs of the kind ``sync-part``: a part of a sync in partitions, in the worker's own process."""

from __future__ import annotations

from time import monotonic
from typing import Any

from ringfence.core.ports.jobs import AttemptError, JobRun

from ..operations.kept_connections import KeptConnections
from ..operations.parts import work_at_part
from ..wiring import Wiring

_REPORT_EVERY_S = 5.0


def run_part(wiring: Wiring, kept: KeptConnections, run: JobRun) -> str | None:
    """Carry the part of a job out; return a remark where there was nothing to do.

    Raises AttemptError for a job that names no part.
    """
    arguments = run.job.arguments
    run_id, part = arguments.get("run_id"), arguments.get("part")
    if not isinstance(run_id, str) or not isinstance(part, int):
        raise AttemptError(
            "The job names no part of a run.", "Cancel it; the run tells of its parts itself.", exit_code=2
        )

    told_at = 0.0

    def report(progress: Any) -> None:
        nonlocal told_at
        if monotonic() - told_at >= _REPORT_EVERY_S:
            told_at = monotonic()
            run.report(progress)

    return work_at_part(wiring, run.job.queue, run_id, part, kept=kept, must_end=run.must_end, report=report)
