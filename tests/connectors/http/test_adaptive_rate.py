"""The rate that is found out on the way."""

from __future__ import annotations

import pytest

from ringfence.connectors.http.account_calls import AccountCalls
from ringfence.connectors.http.adaptive_rate import AdaptiveRate
from ringfence.core.ports.own_limits import OwnLimits
from testkit.clock import SetClock


def make_rate(clock: SetClock) -> AdaptiveRate:
    return AdaptiveRate(clock, AccountCalls(OwnLimits(clock.monotonic), clock, "a provider"))


def test_a_pause_that_the_other_side_asks_for_holds_up_every_call(clock: SetClock) -> None:
    rate, begun = make_rate(clock), clock.now()

    rate.slow_down(7)
    rate.acquire()

    assert (clock.now() - begun).total_seconds() == pytest.approx(7)

    rate.acquire()

    assert (clock.now() - begun).total_seconds() < 8


def test_a_burst_of_refusals_slows_down_once_and_answers_speed_up_again(clock: SetClock) -> None:
    rate = make_rate(clock)

    for _ in range(8):
        rate.slow_down()

    rate.acquire()
    begun = clock.monotonic()
    rate.acquire()
    gap = clock.monotonic() - begun

    for _ in range(2_000):
        rate.speed_up()

    rate.acquire()
    begun = clock.monotonic()
    rate.acquire()

    assert gap == pytest.approx(0.005, abs=1e-4)
    assert clock.monotonic() - begun < gap / 10
