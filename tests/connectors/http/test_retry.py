"""The retry loop: how often, how long, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after, without_patience
from ringfence.core.errors import QuotaError, RetryError, RingfenceError, SchemaError, UnreachableError
from testkit.clock import SetClock


class RateError(RetryError):
    """A fault with a rule of its own."""


class LostError(RetryError):
    """A fault that no repetition cures."""


POLICY = RetryPolicy(
    attempts=4,
    back_off=BackOff(first_s=1, longest_s=3, jitter_s=0.5),
    rules=(
        RetryRule(LostError, repeat=False),
        RetryRule(RateError, give_up=lambda fault: QuotaError(fault.message)),
        RetryRule(RetryError, give_up=lambda fault: UnreachableError(fault.message)),
    ),
    longest_wait_s=60,
    refuse_wait=lambda seconds, what: UnreachableError(f"{what}: {seconds:.0f} s"),
)


class Service:
    """Raises the faults in their order, then answers; ``calls`` holds the time of each call in seconds."""

    def __init__(self, clock: SetClock, faults: list[RingfenceError]) -> None:
        self._clock = clock
        self._faults = list(faults)
        self.calls: list[float] = []

    def send(self) -> str:
        self.calls.append(self._clock.monotonic())
        if self._faults:
            raise self._faults.pop(0)
        return "answer"

    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.calls, self.calls[1:], strict=False)]


@pytest.fixture
def serve(clock: SetClock) -> Callable[..., Service]:
    return lambda *faults: Service(clock, list(faults))


@pytest.fixture
def retries(clock: SetClock) -> Retries:
    return Retries(POLICY, clock)


def test_pauses_double_up_to_the_longest_and_add_what_is_asked_for(
    retries: Retries, serve: Callable[..., Service]
) -> None:
    service = serve(RetryError("a"), RetryError("b", wait_s=10), RetryError("c"))

    answer = retries.call("a query", service.send)

    assert answer == "answer"

    first, second, third = service.pauses()

    assert 1 <= first < 1.6
    assert 12 <= second < 12.6
    assert 3 <= third < 3.6


@pytest.mark.parametrize(
    ("fault", "ends_as", "calls"),
    [
        (RateError("too fast"), QuotaError, 4),
        (RetryError("out of order"), UnreachableError, 4),
        (LostError("gone"), LostError, 1),
        (SchemaError("no such field"), SchemaError, 1),
    ],
)
def test_each_fault_ends_as_its_rule_says(
    retries: Retries,
    serve: Callable[..., Service],
    fault: RingfenceError,
    ends_as: type[RingfenceError],
    calls: int,
) -> None:
    service = serve(*[fault] * 9)

    with pytest.raises(ends_as, match=fault.message):
        retries.call("a query", service.send)

    assert len(service.calls) == calls


def test_a_pause_beyond_the_longest_is_not_made(retries: Retries, serve: Callable[..., Service]) -> None:
    service = serve(RetryError("later", wait_s=61))

    with pytest.raises(UnreachableError, match="a query: 61 s"):
        retries.call("a query", service.send)

    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("0", 0.0), ("", None), ("-3", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_retry_after_is_read_as_seconds(header: str, seconds: float | None) -> None:
    assert read_retry_after({"Retry-After": header}) == seconds
    assert read_retry_after({}) is None


def test_what_only_adds_to_what_is_known_is_repeated_once() -> None:
    clock = SetClock()
    service = Service(clock, [RetryError("busy")] * 10)

    with without_patience(), pytest.raises(UnreachableError):
        Retries(POLICY, clock).call("a probe", service.send)

    assert len(service.calls) == 2

    with pytest.raises(UnreachableError):
        Retries(POLICY, clock).call("a read", service.send)

    assert len(service.calls) == 2 + POLICY.attempts
