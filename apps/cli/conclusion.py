"""What is printed when a command ends by an error."""

from __future__ import annotations

import logging

from ringfence.core.runs.ending import RunEnd, describe_end, end_as_json

from ..remedies import word
from .exit_codes import FAULT, INTERRUPTED, TERMINATED
from .output import output

logger = logging.getLogger(__name__)


def conclude(error: BaseException) -> int:
    """Print how a command ended of which no run can tell, and return its exit code."""
    end = describe_end(error, word)
    output.document(end_as_json(end, refused_rows=0))
    tell_end(end, error)
    return end.exit_code


def tell_end(end: RunEnd, error: BaseException) -> None:
    """Say on standard error what happened and what to do."""
    if end.exit_code in (INTERRUPTED, TERMINATED):
        output.note(f"{end.message} {end.remedy}", style=None)
    elif end.exit_code == FAULT:
        output.complain(f"{end.message} {end.remedy}")
        logger.info("the fault in full", exc_info=error)  # shown with --verbose alone, and masked
    else:
        output.complain(end.message, end.remedy)
