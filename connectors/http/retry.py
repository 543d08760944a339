"""The one retry loop: a call is repeated after passing faults, as a policy table says.

A policy holds a rule for each type of fault: whether the call is repeated, and what error ends the run when repeating
it did not help. Between two attempts the loop waits as long as the other side asked (``Retry-After``) plus an
exponential back-off with jitter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from random import uniform
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from ringfence.core.errors import RetryError, RingfenceError
from ringfence.core.ports.services import Clock

Result = TypeVar("Result")

_SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class BackOff:
    """Pauses that double from ``first_s`` up to ``longest_s``, each with up to ``jitter_s`` more; all in seconds."""

    first_s: float
    longest_s: float
    jitter_s: float

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after so many failed attempts, counted from one."""
        doubled = min(self.first_s * 2.0 ** (attempt - 1), self.longest_s)
        return doubled + uniform(0, self.jitter_s)  # noqa: S311  # spreads retries, hides nothing


@dataclass(frozen=True, slots=True)
class RetryRule:
    """One row of a policy: what is done about a type of passing fault.

    ``give_up`` makes the error that is raised after the last attempt; without it the fault itself is raised. ``repeat``
    is False for a fault that the same call can never cure.
    """

    fault: type[RetryError]
    give_up: Callable[[RetryError], RingfenceError] | None = None
    repeat: bool = True


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When calls to one service are repeated.

    ``attempts`` counts the first call too. ``rules`` are matched from the top, and the last one is for RetryError
    itself. A pause that the other side asks for beyond ``longest_wait_s`` is not made: ``refuse_wait`` then makes the
    error, from the seconds and the name of the call. Without it every pause is made.
    """

    attempts: int
    back_off: BackOff
    rules: tuple[RetryRule, ...]
    longest_wait_s: float = inf
    refuse_wait: Callable[[float, str], RingfenceError] | None = None

    def rule(self, fault: RetryError) -> RetryRule:
        """Return the first rule for the fault. Raises ValueError where no rule names it."""
        for rule in self.rules:
            if isinstance(fault, rule.fault):
                return rule

        raise ValueError(f"no rule for {type(fault).__name__}")


_most_attempts: ContextVar[float] = ContextVar("most_attempts", default=inf)

FEW = 2
"""Attempts of a call whose answer one can do without."""


@contextmanager
def without_patience() -> Iterator[None]:
    """Repeat the calls of the block once at most: a person waits for them, and they only add to what is known."""
    token = _most_attempts.set(FEW)
    try:
        yield
    finally:
        _most_attempts.reset(token)


class Retries:
    """Carries out calls under a policy. Safe with threads."""

    def __init__(self, policy: RetryPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def call(self, what: str, send: Callable[[], Result]) -> Result:
        """Return what ``send`` returns, calling it again after a passing fault. ``what`` names the call for the reader.

        Raises what the policy says when a fault does not pass, and every other error of ``send`` at once.
        """
        policy = self._policy
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, RetryError) and policy.rule(error).repeat),
            stop=stop_after_attempt(int(min(policy.attempts, _most_attempts.get()))),
            wait=lambda state: self._pause(state, what),
            sleep=self._clock.sleep,
            reraise=True,
        )

        try:
            return retrying(send)
        except RetryError as fault:
            if (give_up := policy.rule(fault).give_up) is None:
                raise
            raise give_up(fault) from fault

    def _pause(self, state: RetryCallState, what: str) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked_s = (fault.wait_s or 0.0) if isinstance(fault, RetryError) else 0.0

        if asked_s > self._policy.longest_wait_s and self._policy.refuse_wait:
            raise self._policy.refuse_wait(asked_s, what) from fault
        return asked_s + self._policy.back_off.pause(state.attempt_number)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer's ``Retry-After`` asks to wait; None without one, and for a date."""
    value = headers.get("Retry-After", "")
    return float(value) if _SECONDS.fullmatch(value) else None
