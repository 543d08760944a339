"""A run that a command carries out, and what is shown of it, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ringfence.core.errors import CostError, StoppedError
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.undo import UndoSummary

from ..operations.door import Door
from .conclusion import tell_end
from .door import open_door
from .termination import termination

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
