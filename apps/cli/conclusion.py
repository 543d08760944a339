"""What is printed when a command or a run ends, however it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from ringfence.core.errors import CostError, StoppedError
from ringfence.core.runs.ending import RunEnd, describe_end, end_as_json
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.undo import UndoSummary

from ..operations.door import Door
from ..remedies import word
from .door import open_door
from .exit_codes import FAULT, INTERRUPTED, TERMINATED
from .output import output
from .termination import termination

logger = logging.getLogger(__name__)

AnySummary = TypeVar("AnySummary", Summary, UndoSummary)


def carry_out(
    act: Callable[[Door], AnySummary], show: Callable[[AnySummary], None], *, yes: bool = False
) -> AnySummary:
    """Carry a run out and show what it did; return its summary, however it ends once it is in the history.

    Before that, every error passes on.
    """
    began: list[Any] = []
    door = open_door(yes=yes, began=began.append)
    try:
        with termination.after_the_batch():
            summary = act(door)
    except BaseException as error:
        if not began or began[-1].end is None:
            raise
        summary = began[-1]
        show(summary)
        if not isinstance(error, StoppedError | CostError):  # of these the summary tells
            tell_end(summary.end, error)
    else:
        show(summary)
    return summary


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
