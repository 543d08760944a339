"""How a run ended where it did not simply go through, for programs and for people (docs/contract.md, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Any, NamedTuple

from ..errors import CostError, ErrorCode, RingfenceError, StoppedError, Terminated
from ..model.run_outcome import RunOutcome

Word = Callable[[RingfenceError], tuple[str, str]]
"""Returns the message and the remedy of an error in the words of a door."""

DONE, REFUSED_ROWS, FAULT, INTERRUPTED, TERMINATED = 0, 1, 70, 130, 143
"""Exit codes that no error of ours brings."""

_BY_WEIGHT = (DONE, REFUSED_ROWS, 4, 2, 3, FAULT, INTERRUPTED, TERMINATED)


class RunEnd(NamedTuple):
    """What ended a run early: the kind of the error, what happened, what to do now, and the exit code for it.

    ``code`` is the stable name of the situation, for programs.
    """

    error: str
    message: str
    remedy: str
    exit_code: int
    outcome: RunOutcome
    code: str

    @property
    def text(self) -> str:
        """Return what happened and what to do, in one line."""
        return f"{self.message} {self.remedy}".strip()


def describe_end(error: BaseException, word: Word) -> RunEnd:
    """Return how a run ends by this error; a fault of the program is told by its kind and place alone.

    Its own words could hold whatever the program was working on.
    """
    if isinstance(error, RingfenceError):
        outcome = RunOutcome.STOPPED if isinstance(error, StoppedError | CostError) else RunOutcome.FAILED
        return RunEnd(type(error).__name__, *word(error), error.exit_code, outcome, error.code.value)

    go_on = "What was done stays done; run again to go on from there."
    if isinstance(error, Terminated):
        return RunEnd("Terminated", "Terminated.", go_on, TERMINATED, RunOutcome.INTERRUPTED, "terminated")
    if isinstance(error, KeyboardInterrupt):
        return RunEnd("Interrupted", "Interrupted.", go_on, INTERRUPTED, RunOutcome.INTERRUPTED, "interrupted")

    message = f"A fault of ringfence itself: {type(error).__name__}{_place(error)}."
    return RunEnd("Fault", message, f"Please report it. {go_on}", FAULT, RunOutcome.FAILED, ErrorCode.INTERNAL.value)


def end_as_json(end: RunEnd | None, *, refused_rows: int) -> dict[str, Any]:
    """Return what the document of a run says about its end."""
    if end is None:
        return {"exit_code": REFUSED_ROWS if refused_rows else DONE}
    return {
        "error": end.error,
        "message": end.message,
        "remedy": end.remedy,
        "exit_code": end.exit_code,
        "code": end.code,
    }


def worst(*codes: int) -> int:
    """Return the exit code of several runs, or of one that could end in several ways; unknown ones weigh most."""
    return max(codes, key=lambda code: _BY_WEIGHT.index(code) if code in _BY_WEIGHT else len(_BY_WEIGHT), default=DONE)


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
