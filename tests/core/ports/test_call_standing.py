"""Places of calls: no window holds more than its limit, nobody waits in vain; pauses and dead callers are minded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import QuotaError, RetryError
from ringfence.core.ports.call_limits import LONGEST_PAUSE_S, Rate, UnderWay
from ringfence.core.ports.call_standing import KEPT_FOR_S, LONGEST_KEPT_S, SHARED_FOR_S, CallStanding, Window

NOW = 1_000_000.0


def fullest(places: list[float], seconds: float) -> int:
    """Return the most places that any window of that width holds."""
    return max(sum(start <= place < start + seconds - 1e-6 for place in places) for start in places)


def go_on(_met: UnderWay) -> None:
    """Let every call out."""


@given(
    limit=st.integers(1, 6),
    seconds=st.sampled_from([0.5, 1.0, 10.0]),
    calls=st.lists(st.tuples(st.floats(0, 3), st.sampled_from("abc")), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_the_limit_whoever_calls(
    limit: int, seconds: float, calls: list[tuple[float, str]]
) -> None:
    window, now, places = Window(), NOW, []

    for pause, caller in calls:
        now += pause
        places.append(window.reserve(Rate(limit, seconds), caller, now, now))

    assert fullest(places, seconds) <= limit
    assert all(one <= other for one, other in pairwise(places))


@given(limit=st.integers(1, 6), pauses=st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_one_caller_waits_no_longer_than_it_has_to(limit: int, pauses: list[float]) -> None:
    window, now, places = Window(), NOW, [NOW - 10.0] * limit

    for pause in pauses:
        now += pause
        place = window.reserve(Rate(limit, 1.0), "one", now, now)

        assert place == pytest.approx(max(now, places[-1], places[-limit] + 1.0), abs=1e-6)
        places.append(place)


def test_a_burst_of_one_caller_goes_out_as_soon_as_there_is_room() -> None:
    window = Window()

    waits = [window.reserve(Rate(3, 10), "one", NOW, NOW) - NOW for _ in range(7)]

    assert waits == [0, 0, 0, 10, 10, 10, 20]


def test_several_callers_go_out_apart_once_the_window_was_full() -> None:
    window = Window()

    waits = [window.reserve(Rate(4, 1.0), caller, NOW, NOW) - NOW for caller in "abababab"]

    assert waits[:4] == [0, 0, 0, 0]
    assert all(other - one > 0.15 for one, other in pairwise(waits[4:]))
    assert waits[-1] < 2

    later = NOW + SHARED_FOR_S
    assert [window.reserve(Rate(4, 1.0), "a", later, later) - later for _ in range(8)][4:] == [1, 1, 1, 1]


def test_one_run_after_the_other_shares_nothing() -> None:
    window = Window()
    for _ in range(4):
        window.reserve(Rate(4, 1.0), "first", NOW, NOW)

    later = [window.reserve(Rate(4, 1.0), "second", NOW + 5, NOW + 5) - NOW for _ in range(6)]

    assert later == [5, 5, 5, 5, 6, 6]


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    window = Window()
    for _ in range(3):
        window.reserve(Rate(3, 1.0), "one", NOW, NOW)

    assert window.reserve(Rate(3, 1.0), "one", NOW - 3600, NOW - 3600) == NOW - 3600

    standing = CallStanding()
    standing.pause("", 30, NOW)
    assert standing.paused("", NOW - 3600) == 30


def test_a_pause_holds_up_every_call_or_those_of_a_kind() -> None:
    standing = CallStanding()
    standing.pause("search", 5, NOW)
    assert (standing.paused("search", NOW), standing.paused("call", NOW), standing.paused("", NOW)) == (5, 0, 0)

    standing.pause("", 30, NOW)
    standing.pause("", 2, NOW)
    assert standing.reserve("call", Rate(10, 1.0), "one", NOW) == 30
    assert standing.reserve("search", Rate(10, 1.0), "one", NOW + 31) == 0


def test_a_long_pause_is_told_and_not_waited_for_and_ends_within_the_hour() -> None:
    standing = CallStanding()
    standing.pause("", 24 * 3600, NOW)

    with pytest.raises(RetryError) as refused:
        standing.reserve("call", Rate(10, 1.0), "one", NOW)

    assert refused.value.wait_s == LONGEST_KEPT_S > LONGEST_PAUSE_S
    assert standing.reserve("call", Rate(10, 1.0), "one", NOW + LONGEST_KEPT_S) == 0


def test_calls_under_way_are_few_and_those_of_the_dead_come_back() -> None:
    standing = CallStanding()

    def take(ticket: str, holder: str, now: float = NOW, dead: tuple[str, ...] = ()) -> bool:
        return standing.take(ticket, holder, 2, go_on, now, lambda each: each in dead)

    assert [take("1", "a"), take("2", "b"), take("3", "b")] == [True, True, False]
    standing.give_back("2", None, NOW)
    assert [take("4", "b"), take("5", "b")] == [True, False]
    assert take("6", "b", dead=("a",))
    assert [take("7", "c"), take("8", "c", NOW + KEPT_FOR_S)] == [False, True]


def test_a_call_that_the_check_forbids_takes_no_room_and_meets_what_was_noted() -> None:
    standing, met = CallStanding(), []
    standing.take("1", "a", 3, go_on, NOW, lambda _holder: False)
    standing.give_back("1", "70 of 100", NOW)
    standing.take("2", "a", 3, go_on, NOW + 1, lambda _holder: False)

    def forbid(under_way: UnderWay) -> None:
        met.append(under_way)
        raise QuotaError("The reserve is reached.")

    for _ in range(2):
        with pytest.raises(QuotaError):
            standing.take("3", "a", 3, forbid, NOW + 2, lambda _holder: False)

    assert met == [UnderWay(1, "70 of 100", 2.0)] * 2
