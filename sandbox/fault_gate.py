"""What stands in front of a service that has faults: it lets them happen, and spoils answers.

One subclass per service says what a fault means there. All of it runs under the lock of its service.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Generic, TypeVar

from .broken_wire import Wire
from .fault_kinds import Delay, Empty, Fault, Hang, Html, Interruption, Refuse, Reset, Truncate
from .fault_rules import ActiveRule, Seen
from .faults import Faults

A = TypeVar("A")
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    "<body><h1>Service unavailable</h1><p>We are down for maintenance.</p></body></html>\n"
)
log = logging.getLogger(__name__)


class Swaps:
    """Attributes that hold another value for a while."""

    def __init__(self) -> None:
        self._before: list[tuple[object, str, object]] = []

    def put(self, target: object, name: str, value: object) -> None:
        """Set an attribute of a target; a value of None leaves it alone."""
        if value is not None:
            self._before.append((target, name, getattr(target, name)))
            setattr(target, name, value)

    def undo(self) -> None:
        """Give every attribute the value that it had, the newest change first."""
        while self._before:
            setattr(*self._before.pop())


class FaultGate(ABC, Generic[A]):
    """The faults of one service; `A` is how it represents an answer."""

    service: str

    def __init__(self, faults: Faults) -> None:
        self.latency_s = faults.latency_s(self.service)
        self.requests = 0
        self.swaps = Swaps()
        self.rules = [
            ActiveRule(number, rule, f"{faults.seed}:{number}")
            for number, rule in enumerate(faults.rules)
            if rule.service == self.service
        ]

    def answer(self, seen: Seen, handle: Callable[[], A]) -> tuple[A, Wire | None]:
        """Answer one request, `handle` being the service without faults; the wire is None where nothing breaks it."""
        self.requests += 1
        self.arrive()
        due = [active for active in self.rules if active.acts(seen)]

        for active in due:
            log.info("%s: rule %d, %s, at request %d", self.service, active.number, _kind(active), self.requests)
            self.happen(active, seen)

        breaking = next((each.fault for each in due if isinstance(each.fault, Interruption | Truncate)), None)
        if breaking is None or breaking.after_commit:
            with self.bent(due):
                answer = handle()
            for active in due:
                answer = self.reshape(active.fault, answer)
        else:
            # A connection that breaks carries nothing; whatever stands here is never sent.
            answer = self.page(200, "")

        if isinstance(breaking, Refuse):
            answer = self.refusal(breaking, seen)
        elif isinstance(breaking, Html | Empty):
            answer = self.page(breaking.status, PAGE if isinstance(breaking, Html) else "")

        return answer, self._wire(due, breaking)

    def close(self) -> None:
        """Put back the settings of the service; what happened to its records stays."""
        self.swaps.undo()

    def arrive(self) -> None:
        """Do what is due when a further request comes in, before its own faults."""

    @abstractmethod
    def happen(self, active: ActiveRule, seen: Seen) -> None:
        """Let a fault happen that changes the state of the service before the request is handled."""

    @contextmanager
    def bent(self, due: Iterable[ActiveRule]) -> Iterator[None]:  # noqa: ARG002  # services that bend need it
        """Bend the service while it handles the request."""
        yield

    def reshape(self, fault: Fault, answer: A) -> A:  # noqa: ARG002  # services that reshape need it
        """Return the answer as the fault leaves it."""
        return answer

    @abstractmethod
    def refusal(self, fault: Refuse, seen: Seen) -> A:
        """Return the service's error of a status, with the body that it has there."""

    @abstractmethod
    def page(self, status: int, text: str) -> A:
        """Return a web page as an answer."""

    def _wire(self, due: Iterable[ActiveRule], breaking: Fault | None) -> Wire | None:
        delay = self.latency_s + sum(each.fault.ms / 1000 for each in due if isinstance(each.fault, Delay))
        wire = Wire(delay_s=delay)
        match breaking:
            case Reset():
                wire = replace(wire, end="reset")
            case Hang():
                wire = replace(wire, end="hanging")
            case Truncate():
                wire = replace(wire, end="truncated", kept=breaking.kept)
        return None if wire == Wire() else wire


def _kind(active: ActiveRule) -> str:
    return active.rule.fault.kind
