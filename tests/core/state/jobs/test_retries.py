"""Whether a failed attempt is followed by another: by what helps against the error, and by exit code."""

from __future__ import annotations

import pytest

from ringfence.core.errors import (
    AccessError,
    AuthenticationError,
    BusyError,
    ErrorCode,
    GuardError,
    QuotaError,
    RetryError,
    RingfenceError,
    SchemaError,
    SettingsError,
    StateError,
    StoppedError,
    UnreachableError,
    UsageError,
)
from ringfence.core.ports.jobs import AttemptError
from ringfence.core.state.jobs.retries import Again, as_failure, decide

NEVER = None


def after(error: BaseException, attempts: int = 1, faults: int = 0, jitter: float = 0.0) -> float | None:
    """Return the pause until the next attempt in seconds, None where there is none."""
    again = decide(as_failure(error), attempts=attempts, faults=faults, jitter=jitter)
    return again.pause_s if isinstance(again, Again) else None


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (UsageError(""), NEVER),
        (SettingsError(""), NEVER),
        (StateError(""), NEVER),
        (AuthenticationError(""), NEVER),
        (AccessError(""), NEVER),
        (SchemaError(""), NEVER),
        (GuardError(""), NEVER),
        (GuardError("", code=ErrorCode.MASS_CHANGE), NEVER),
        (StoppedError("", code=ErrorCode.LOOKUP_BUDGET_USED_UP), NEVER),
        (StoppedError(""), 30),
        (QuotaError(""), 30),
        (UnreachableError(""), 30),
        (BusyError(""), 20),
        (RetryError("", wait_s=None), 30),
        (RetryError("", wait_s=5), 30),
        (RetryError("", wait_s=500), 500),
        (AttemptError("", exit_code=2), NEVER),
        (AttemptError("", exit_code=3, name="AccessError"), NEVER),
        (AttemptError("", exit_code=4), 30),
        (AttemptError("", exit_code=4, name="BusyError"), 20),
        (AttemptError("", exit_code=4, name="GuardError"), NEVER),
        (AttemptError("", exit_code=4, name="QuotaError", code=ErrorCode.LOOKUP_BUDGET_USED_UP), NEVER),
    ],
)
def test_by_class_and_by_exit_code(error: RingfenceError, pause_s: float | None) -> None:
    assert after(error) == pause_s


def test_pauses_grow_to_an_hour_and_end() -> None:
    pauses = [after(UnreachableError(""), attempts) for attempts in range(1, 31)]

    assert pauses[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert set(pauses[8:-1]) == {3600}
    assert pauses[-1] is NEVER


def test_another_run_is_waited_for_as_long_as_it_takes() -> None:
    assert [after(BusyError(""), attempts) for attempts in (1, 2, 3, 4, 400)] == [20, 40, 80, 120, 120]


@pytest.mark.parametrize("fault", [ValueError("+14155550100"), AttemptError("", exit_code=70)])
def test_a_fault_of_the_program_is_tried_once_more(fault: Exception) -> None:
    assert after(fault, attempts=9, faults=1) == 30
    assert after(fault, attempts=9, faults=2) is NEVER
    assert "4155550100" not in as_failure(fault).text


def test_those_that_failed_together_do_not_come_back_together() -> None:
    assert after(UnreachableError(""), jitter=1.0) == 37.5


def test_what_a_person_is_told() -> None:
    assert as_failure(QuotaError("Used up.", "Wait.")).text == "Used up. Wait."
    assert as_failure(KeyError("x")).text == "A fault of ringfence itself: KeyError."
