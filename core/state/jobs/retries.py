"""Whether a failed attempt at a job is followed by another one, and when: by what helps against the error.

The exit codes say what helps (contract.md, section 4): 4 passes by itself, 2 and 3 need a person, 70 is a fault of the
program, which once may have been an accident.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import BusyError, ErrorCode, GuardError, RingfenceError, StoppedError
from ...ports.jobs import AttemptError

MOST_ATTEMPTS = 30
"""Attempts after which nothing passes by itself any more: with the pauses between them that is more than a day."""

MOST_FAULTS = 2
"""Attempts that may end by a fault of the program."""

SHORTEST_S, LONGEST_S = 30.0, 3600.0
"""The first pause and the longest one, in seconds; each is twice the one before."""

BUSY_S, LONGEST_BUSY_S = 20.0, 120.0
"""The same while another run of the account is under way: that always ends, so it is waited for as long as it takes."""

_JITTER = 0.25
"""The share of a pause by which it is longer at most, so that those that failed together do not come back together."""

_FAULT = 70

_NEEDS_A_PERSON = frozenset(
    # Another run would be stopped by the same guard, or would spend another run's budget.
    {GuardError.__name__, ErrorCode.MASS_CHANGE.value, ErrorCode.EMPTY_FULL_READ.value, ErrorCode.OPT_OUT_UNHEARD.value}
    | {ErrorCode.GUARD.value, ErrorCode.LOOKUP_BUDGET_USED_UP.value, ErrorCode.LOOKUP_COST_USED_UP.value}
)
_BUSY = frozenset({BusyError.__name__, ErrorCode.BUSY.value})


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed: exit code, the names of the error and of its situation, and what a person is told.

    ``wait_s`` is the pause that the other side asked for, in seconds.
    """

    exit_code: int
    names: frozenset[str]
    text: str
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """The job is tried again after so many seconds."""

    pause_s: float


def as_failure(error: BaseException) -> Failure:
    """Return an error as a failed attempt; a fault of the program is told by its kind, for its words may hold data."""
    if isinstance(error, AttemptError):
        return Failure(error.exit_code, frozenset({error.name, error.code.value}), str(error), error.wait_s)
    if isinstance(error, RingfenceError):
        names = frozenset({type(error).__name__, error.code.value})
        wait_s = getattr(error, "wait_s", None)
        return Failure(error.exit_code, names, str(error), float(wait_s) if wait_s is not None else None)
    return Failure(_FAULT, frozenset(), f"A fault of ringfence itself: {type(error).__name__}.")


def decide(failure: Failure, *, attempts: int, faults: int, jitter: float) -> Again | None:
    """Return when the job is tried again, None where it has failed for good.

    ``attempts`` counts those that have begun, this one included; ``faults`` those of them that ended by a fault of the
    program. ``jitter`` is a number from 0 to 1.
    """
    if failure.names & _BUSY:
        return Again(_stretch(_grown(BUSY_S, attempts, LONGEST_BUSY_S), jitter))
    if attempts >= MOST_ATTEMPTS or failure.names & _NEEDS_A_PERSON:
        return None
    if failure.exit_code == _FAULT:
        return None if faults >= MOST_FAULTS else Again(_stretch(SHORTEST_S, jitter))
    if failure.exit_code != StoppedError.exit_code:
        return None

    pause_s = _grown(SHORTEST_S, attempts, LONGEST_S)
    return Again(_stretch(max(pause_s, failure.wait_s or 0), jitter))


def _grown(first_s: float, attempts: int, longest_s: float) -> float:
    return min(longest_s, first_s * 2.0 ** min(attempts - 1, 20))


def _stretch(pause_s: float, jitter: float) -> float:
    return pause_s * (1 + _JITTER * jitter)
