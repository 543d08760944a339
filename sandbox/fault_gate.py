"""Fault injection: stands in front of a service, carries out the faults that are due, and spoils answers.

A service has a subclass of FaultGate, which says what each kind of fault means there. All of it runs under the lock of
the service.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Generic, TypeVar

from .broken_wire import Wire
from .fault_kinds import Delay, Empty, Fault, Hang, Html, Interruption, Refuse, Reset, Truncate
from .fault_rules import ActiveRule, RequestFacts
from .faults import Faults

A = TypeVar("A")
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    "<body><h1>Service unavailable</h1><p>We are down for maintenance.</p></body></html>\n"
)
log = logging.getLogger(__name__)


class TemporaryValues:
    """Attributes that hold another value until they are restored."""

    def __init__(self) -> None:
        self._before: list[tuple[object, str, object]] = []

    def set(self, target: object, name: str, value: object) -> None:
        """Set an attribute of a target, remembering what it was; a value of None leaves it alone."""
        if value is not None:
            self._before.append((target, name, getattr(target, name)))
            setattr(target, name, value)

    def restore(self) -> None:
        """Give every attribute the value that it had before, the newest change first."""
        while self._before:
            setattr(*self._before.pop())


class FaultGate(ABC, Generic[A]):
    """The faults of one service; `A` is how it represents an answer.

    `requests` counts what came in since the faults were set; `latency_s` is added to every answer; `rules` are those of
    the faults file that are about this service.
    """

    service: str

    def __init__(self, faults: Faults) -> None:
        self.latency_s = faults.latency_s(self.service)
        self.requests = 0
        self.swaps = TemporaryValues()
        self.rules = [
            ActiveRule(number, rule, f"{faults.seed}:{number}")
            for number, rule in enumerate(faults.rules)
            if rule.service == self.service
        ]

    def answer(self, facts: RequestFacts, handle: Callable[[], A]) -> tuple[A, Wire | None]:
        """Answer one request with the faults that are due; `handle` is the service without faults.

        Returns the answer and how it is delivered, None for an ordinary delivery.
        """
        self.requests += 1
        self.before_request()
        due = [active for active in self.rules if active.is_due(facts)]

        for active in due:
            log.info("%s: rule %d, %s, at request %d", self.service, active.number, active.fault.kind, self.requests)
            self.change_state(active, facts)

        interruption = next((each.fault for each in due if isinstance(each.fault, Interruption | Truncate)), None)
        if interruption is None or interruption.after_commit:
            answer = self._carry_out(due, handle)
        else:
            # A connection that breaks carries nothing; whatever stands here is never sent.
            answer = self.page(200, "")

        if isinstance(interruption, Refuse):
            answer = self.refusal(interruption, facts)
        elif isinstance(interruption, Html | Empty):
            answer = self.page(interruption.status, PAGE if isinstance(interruption, Html) else "")

        return answer, self._wire(due, interruption)

    def close(self) -> None:
        """Put back the settings of the service; what happened to its records stays."""
        self.swaps.restore()

    def before_request(self) -> None:
        """Do what earlier faults have left for the next request, such as a late commit; nothing by default."""

    @abstractmethod
    def change_state(self, active: ActiveRule, facts: RequestFacts) -> None:
        """Carry out a fault that changes the state of the service, before the request is handled."""

    @contextmanager
    def altered(self, due: Iterable[ActiveRule]) -> Iterator[None]:  # noqa: ARG002  # subclasses need it
        """Let the service behave otherwise while it handles the request: refuse rows, shorten pages. A context."""
        yield

    def alter_answer(self, fault: Fault, answer: A) -> A:  # noqa: ARG002  # subclasses need it
        """Return the answer as a fault changes it; most faults change none."""
        return answer

    @abstractmethod
    def refusal(self, fault: Refuse, facts: RequestFacts) -> A:
        """Return the error that a fault asks for, with the body that the service sends with its status."""

    @abstractmethod
    def page(self, status: int, text: str) -> A:
        """Return a web page as an answer, the text being HTML or empty."""

    def _carry_out(self, due: Sequence[ActiveRule], handle: Callable[[], A]) -> A:
        with self.altered(due):
            answer = handle()

        for active in due:
            answer = self.alter_answer(active.fault, answer)
        return answer

    def _wire(self, due: Iterable[ActiveRule], interruption: Fault | None) -> Wire | None:
        delay = self.latency_s + sum(each.fault.ms / 1000 for each in due if isinstance(each.fault, Delay))
        wire = Wire(delay_s=delay)

        match interruption:
            case Reset():
                wire = replace(wire, end="reset")
            case Hang():
                wire = replace(wire, end="hanging")
            case Truncate():
                wire = replace(wire, end="truncated", kept=interruption.kept)

        return None if wire == Wire() else wire
