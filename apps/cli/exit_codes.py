"""The exit codes of the command line (docs/contract.md, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.core.errors import StoppedError
from ringfence.core.runs.ending import DONE, FAULT, INTERRUPTED, REFUSED_ROWS, TERMINATED, worst

if TYPE_CHECKING:
    from ringfence.core.runs.summary import Summary
    from ringfence.core.runs.undo import UndoSummary

__all__ = ["DONE", "FAULT", "INTERRUPTED", "REFUSED_ROWS", "STOPPED", "SUPPRESSED", "TERMINATED", "exit_code", "worst"]

STOPPED = StoppedError.exit_code
SUPPRESSED = 1
"""What `suppress check` says of a number that must not be contacted."""


def exit_code(summary: Summary | UndoSummary) -> int:
    """Return the exit code of a run: that of what ended it, else 1 where the CRM refused rows, else 0."""
    if summary.end is not None:
        return summary.end.exit_code
    return REFUSED_ROWS if summary.refused_rows() else DONE
