"""The guards that stop a run which would change far more than expected, each on both sides of its border."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.decisions.mass_change import SMALLEST_SAMPLE, THOUSANDS, MassChangeGuard, check_full_read
from ringfence.core.errors import ErrorCode, GuardError
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion, Record
from ringfence.core.model.verdicts import CALLABLE, Status, Verdict

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SLOT = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
SHAPE = ObjectShape("people", (SLOT,))


def watch(guard: MassChangeGuard, count: int, before: str | None, after: Status) -> None:
    """Let the guard see so many slots whose status goes from one to the other."""
    view = RecordView(Record("people", "p", {"phone": "+1 415 555 0132", "rf_phone_status": before}), SHAPE)
    for _ in range(count):
        guard.watch(view, SLOT, Verdict(after, "why: so", None, "unknown", NOW))


def test_more_than_half_turning_invalid_stops_the_run_and_says_how_to_go_on() -> None:
    guard = MassChangeGuard()
    watch(guard, 30, "valid", Status.VALID)
    watch(guard, 31, "active", Status.INVALID)
    with pytest.raises(GuardError) as caught:
        guard.check()

    assert "31 of 61 phone numbers" in caught.value.message
    assert "nothing of this batch was written" in caught.value.message
    assert caught.value.code is ErrorCode.MASS_CHANGE
    assert caught.value.exit_code == 4


def test_exactly_half_passes() -> None:
    guard = MassChangeGuard()
    watch(guard, 30, "valid", Status.VALID)
    watch(guard, 30, "valid", Status.INVALID)
    guard.check()


@pytest.mark.parametrize(("slots", "stops"), [(SMALLEST_SAMPLE - 1, False), (SMALLEST_SAMPLE, True)])
def test_a_few_slots_say_nothing_about_the_whole(slots: int, stops: bool) -> None:
    guard = MassChangeGuard()
    watch(guard, slots, "valid", Status.INVALID)
    if stops:
        with pytest.raises(GuardError):
            guard.check()
    else:
        guard.check()


def test_what_was_accepted_is_not_stopped() -> None:
    guard = MassChangeGuard(accepted=True)
    watch(guard, 1000, "valid", Status.INVALID)
    guard.check()


@pytest.mark.parametrize("before", [None, "", *(status.value for status in Status if status not in CALLABLE)])
def test_only_what_could_be_called_before_counts(before: str | None) -> None:
    guard = MassChangeGuard()
    watch(guard, 1000, before, Status.INVALID)
    guard.check()


@pytest.mark.parametrize("after", [status for status in Status if status is not Status.INVALID])
def test_other_verdicts_are_no_reason_to_stop(after: Status) -> None:
    guard = MassChangeGuard()
    watch(guard, 1000, "valid", after)
    guard.check()


def test_batches_add_up_over_the_run() -> None:
    guard = MassChangeGuard()
    for _ in range(4):
        watch(guard, 12, "unknown", Status.INVALID)
        guard.check()

    watch(guard, 2, "unknown", Status.INVALID)
    with pytest.raises(GuardError, match="50 of 50"):
        guard.check()


def test_a_full_read_that_gives_nothing_stops_where_thousands_are_known() -> None:
    check_full_read("people", THOUSANDS - 1, accepted=False)
    check_full_read("people", 10 * THOUSANDS, accepted=True)
    with pytest.raises(GuardError) as caught:
        check_full_read("people", THOUSANDS, accepted=False)

    assert "A full read of people returned no record where 1,000 were known." in caught.value.message
    assert "filter" in caught.value.remedy
    assert caught.value.code is ErrorCode.EMPTY_FULL_READ
