"""Which kind of job is carried out by what."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.ports.jobs import Handler, JobRun

from ..operations.asked_checks import ASKED_CHECKS, carry_out_checks
from ..operations.forgetting import PRIVACY_DELETION
from ..operations.kept_connections import KeptConnections
from ..operations.parts import SYNC_PART
from ..operations.waking import TARGETED_SYNC
from ..operations.workflow_actions import COMPLETE
from ..wiring import Wiring
from .command import COMMAND, Forward, run_command
from .door import open_job_door
from .executions import complete_waiting
from .forgetting import forget_record
from .parts import run_part
from .woken import sync_woken_records


def make_handlers(wiring: Wiring, forward: Forward, kept: KeptConnections) -> Mapping[str, Handler]:
    """Return what carries out each kind of job; ``forward`` shows a line of a command's standard error.

    What they connect for a run is ``kept`` for its next part; the caller closes it.
    """

    def command(run: JobRun) -> str | None:
        return run_command(run, forward)

    def sync_part(run: JobRun) -> str | None:
        return run_part(wiring, kept, run)

    def targeted_sync(run: JobRun) -> str | None:
        return sync_woken_records(wiring, kept, run)

    def privacy_deletion(run: JobRun) -> str | None:
        return forget_record(wiring, run)

    def asked_checks(run: JobRun) -> str | None:
        return carry_out_checks(wiring, run, open_job_door(run, "asked checks"))

    def complete(run: JobRun) -> str | None:
        return complete_waiting(wiring, run)

    return {
        ASKED_CHECKS: asked_checks,
        COMMAND: command,
        COMPLETE: complete,
        PRIVACY_DELETION: privacy_deletion,
        SYNC_PART: sync_part,
        TARGETED_SYNC: targeted_sync,
    }
