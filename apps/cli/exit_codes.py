"""The exit code of a run that ended in good order (docs/contract.md, section 4); errors bring their own."""

from __future__ import annotations

from ringfence.core.runs.summary import Summary
from ringfence.core.runs.undo import UndoSummary

DONE = 0
REFUSED_ROWS = 1
STOPPED = 4
INTERRUPTED = 130


def exit_code(summary: Summary | UndoSummary) -> int:
    """Return 0 for done, 1 where the CRM refused rows, 4 for a run that stopped early."""
    if summary.stopped:
        return STOPPED
    return REFUSED_ROWS if summary.refused_rows() else DONE
