"""Stops a run that would change far more than expected, before it writes."""

from __future__ import annotations

from ..errors import ErrorCode, GuardError
from ..model.record_view import RecordView
from ..model.shapes import Slot
from ..model.values import Companion
from ..model.verdicts import CALLABLE, Status, Verdict

SMALLEST_SAMPLE = 50
"""Fewer callable slots than this are too few to judge a run by."""

THOUSANDS = 1000


class MassChangeGuard:
    """Counts, over a run, the slots that could be called and those of them that would become invalid."""

    def __init__(self, *, accepted: bool = False) -> None:
        self._accepted = accepted
        self._callable = 0
        self._newly_invalid = 0

    def watch(self, view: RecordView, slot: Slot, verdict: Verdict) -> None:
        """Count one verdict that is about to be written."""
        if view.held(slot, Companion.STATUS) in CALLABLE:
            self._callable += 1
            self._newly_invalid += verdict.status is Status.INVALID

    def check(self) -> None:
        """Raise GuardError when more than half of the callable slots so far would become invalid."""
        if self._accepted or self._callable < SMALLEST_SAMPLE or self._newly_invalid * 2 <= self._callable:
            return
        raise GuardError(
            f"{self._newly_invalid} of {self._callable} phone numbers that could be called would become invalid; "
            "nothing of this batch was written.",
            "Check the country field and the default region of the mapping.",
            code=ErrorCode.MASS_CHANGE,
        )


def check_full_read(object_name: str, known: int, *, accepted: bool) -> None:
    """Raise GuardError when a full read returned no record of an object of which a thousand or more are known."""
    if accepted or known < THOUSANDS:
        return
    raise GuardError(
        f"A full read of {object_name} returned no record where {known:,} were known.",
        f"Check the user's access to {object_name} and the mapping's filter.",
        code=ErrorCode.EMPTY_FULL_READ,
    )
