"""Limits of calls in the store: what one process does, asks for and leaves, the others go by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.core.errors import RetryError, StoppedError
from ringfence.core.ports.call_limits import Rate, Ticket, UnderWay
from ringfence.core.ports.services import Services
from ringfence.core.state import leases
from ringfence.core.state.limits_of_state import LimitsOfState
from ringfence.core.state.shared_limits import LOOK_AGAIN_S, SharedLimits
from ringfence.core.state.store import Store
from testkit.clock import SetClock

ACCOUNT = "hubspot:api.example.com:1"
RATE = Rate(3, 10)


@pytest.fixture
def process(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], SharedLimits]:
    """Give the limits as the process of that id sees them."""

    def open_(pid: int) -> SharedLimits:
        here = replace(leases.this_process(), pid=pid, started=f"start of {pid}")
        monkeypatch.setattr("ringfence.core.state.shared_limits.this_process", lambda: here)
        return SharedLimits(store, clock)

    return open_


@pytest.fixture
def die(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let a process end, of those that a test has made up; the others are at work."""
    dead: set[int] = set()
    monkeypatch.setattr(leases, "_process_start", lambda pid: "ended" if pid in dead else f"start of {pid}")
    return dead.add


def go_on(_met: UnderWay) -> None:
    """Let every call out."""


def test_processes_keep_one_rate_for_an_account(process: Callable[[int], SharedLimits], clock: SetClock) -> None:
    one, other = process(101), process(102)

    waits = [each.reserve(ACCOUNT, "call", RATE) for each in (one, other, one)]

    assert waits == [0, 0, 0]
    assert other.reserve(ACCOUNT, "call", RATE) == pytest.approx(10)
    assert other.reserve(ACCOUNT, "search", RATE) == 0
    assert other.reserve("hubspot:api.example.com:2", "call", RATE) == 0

    clock.advance(seconds=25)
    assert one.reserve(ACCOUNT, "call", RATE) == 0


def test_a_pause_that_one_process_was_asked_for_stops_all(
    process: Callable[[int], SharedLimits], clock: SetClock
) -> None:
    one, other = process(101), process(102)
    assert other.paused(ACCOUNT) == 0

    one.pause(ACCOUNT, 30)

    assert one.paused(ACCOUNT) == pytest.approx(30)
    clock.advance(seconds=2 * LOOK_AGAIN_S)
    assert other.paused(ACCOUNT) == pytest.approx(30 - 2 * LOOK_AGAIN_S)
    assert other.reserve(ACCOUNT, "call", RATE) == pytest.approx(30 - 2 * LOOK_AGAIN_S)
    clock.advance(seconds=20)
    assert other.paused(ACCOUNT) == pytest.approx(10 - 2 * LOOK_AGAIN_S)
    clock.advance(seconds=20)
    assert other.paused(ACCOUNT) == 0


def test_a_long_pause_is_told_to_all(process: Callable[[int], SharedLimits]) -> None:
    process(101).pause(ACCOUNT, 1800)

    for ask in (lambda: process(102).paused(ACCOUNT), lambda: process(102).reserve(ACCOUNT, "call", RATE)):
        with pytest.raises(RetryError) as refused:
            ask()
        assert refused.value.wait_s == pytest.approx(1800)


def test_few_calls_are_under_way_over_all_processes_and_dead_ones_hold_none(
    process: Callable[[int], SharedLimits], die: Callable[[int], None]
) -> None:
    one, other = process(101), process(102)
    first, second = one.take(ACCOUNT, 2, go_on), other.take(ACCOUNT, 2, go_on)
    assert isinstance(first, Ticket)
    assert isinstance(second, Ticket)
    assert one.take(ACCOUNT, 2, go_on) is None

    other.give_back(second)
    assert one.take(ACCOUNT, 2, go_on) is not None
    assert other.take(ACCOUNT, 2, go_on) is None

    die(101)
    assert other.take(ACCOUNT, 2, go_on) is not None


def test_what_one_process_notes_the_next_call_meets(
    process: Callable[[int], SharedLimits], die: Callable[[int], None], clock: SetClock
) -> None:
    one, other, met = process(101), process(102), []
    ticket = one.take(ACCOUNT, 4, go_on)
    assert ticket is not None
    one.give_back(ticket, "79 of 100")
    one.take(ACCOUNT, 4, go_on)
    clock.advance(seconds=3)

    other.take(ACCOUNT, 4, met.append)

    assert met == [UnderWay(1, "79 of 100", pytest.approx(3, abs=0.001))]


def test_threads_share_the_limits_of_their_process(store: Store, clock: SetClock) -> None:
    limits, waits = SharedLimits(store, clock), []

    def call() -> None:
        waits.extend(limits.reserve(ACCOUNT, "call", Rate(10, 1.0)) for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(round(each, 6) for each in waits) == [0] * 10 + [1] * 10


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_without_its_store_no_call_goes_out(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StoppedError("The state store cannot be reached.")

    limits = SharedLimits(store, clock)
    monkeypatch.setattr(store, "transaction", away)

    for ask in (
        lambda: limits.reserve(ACCOUNT, "call", RATE),
        lambda: limits.paused(ACCOUNT),
        lambda: limits.take(ACCOUNT, 4, go_on),
    ):
        with pytest.raises(StoppedError):
            ask()


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_limits_are_the_process_own_until_a_store_is_open_and_after_it_is_closed(store: Store, clock: SetClock) -> None:
    limits = LimitsOfState(clock)
    services = Services(clock, limits=limits)
    assert services.limits.reserve(ACCOUNT, "call", Rate(1, 100)) == 0

    limits.share(store)
    assert services.limits.reserve(ACCOUNT, "call", Rate(1, 100)) == 0
    assert SharedLimits(store, clock).reserve(ACCOUNT, "call", Rate(1, 100)) == pytest.approx(100)

    store.close()
    assert services.limits.reserve(ACCOUNT, "call", Rate(1, 100)) == pytest.approx(100)
