"""What stands in front of a service that has faults: it counts requests, lets faults happen, and spoils answers.

One subclass per service says what a fault means there. All of it runs under the lock of its service.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Generic, TypeVar

from .broken_wire import Wire
from .fault_kinds import Delay, Empty, Fault, Hang, Html, Interruption, RecordFault, Refuse, Reset, Service, Truncate
from .faults import Faults, Purpose, Rule

A = TypeVar("A")
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    "<body><h1>Service unavailable</h1><p>We are down for maintenance.</p></body></html>\n"
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What rules look at: method, path (as in a rule), purpose, and the body as it came."""

    method: str
    path: str
    purpose: Purpose
    body: bytes = b""


@dataclass(slots=True)
class ActiveRule:
    """A rule at work: its number in the file, how often it met a request and acted, and its own source of chance."""

    number: int
    rule: Rule
    seed: str
    met: int = 0
    acted: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    random: Random = field(init=False)
    _path: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  # repeatable chance is the point
        path = self.rule.when.path
        self._path = None if path is None else _pattern(path)

    @property
    def fault(self) -> Fault:
        """The fault of the rule."""
        return self.rule.fault

    def acts(self, seen: Seen) -> bool:
        """Count a request that the rule is about, and tell whether the rule acts at it."""
        when = self.rule.when
        if (
            when.method not in (None, seen.method)
            or when.purpose not in (None, seen.purpose)
            or (self._path is not None and not self._path.fullmatch(seen.path))
        ):
            return False
        self.met += 1
        if not self._in_count() or (when.times is not None and self.acted >= when.times):
            return False
        if when.probability is not None and self.random.random() >= when.probability:
            return False
        self.acted += 1
        return True

    def hits(self, key: str, fraction: float) -> bool:
        """Tell whether a row belongs to the share that the fault takes: the same rows for the same seed."""
        draw = int.from_bytes(sha256(f"{self.seed}:{key}".encode()).digest()[:8])
        return draw < fraction * 2**64

    def refuses(self, key: str, tries: int | None) -> bool:
        """Count a refusal of a row; False once it has been refused `tries` times (None: never)."""
        if tries is not None and self.refusals[key] >= tries:
            return False
        self.refusals[key] += 1
        return True

    def pick(self, pool: Sequence[str], count: int) -> list[str]:
        """Draw `count` of the pool, or all where it is smaller."""
        return self.random.sample(pool, min(count, len(pool)))

    def _in_count(self) -> bool:
        when, count = self.rule.when, self.met
        start = when.after or 0
        return (
            when.nth in (None, count)
            and count > start
            and (when.every is None or (count - start) % when.every == 0)
            and (when.between is None or when.between[0] <= count <= when.between[1])
        )


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

    service: Service

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


def chosen(active: ActiveRule, fault: RecordFault, seen: Seen, living: Callable[[], Sequence[str]]) -> list[str]:
    """Return the ids that a record fault is about; `living` gives those of the live records, and is asked at need."""
    pool = list(living())
    if fault.ids:
        alive = set(pool)
        pool = [each for each in fault.ids if each in alive]
        if len(pool) < len(fault.ids):
            log.warning("rule %d: %d of its ids name no live record", active.number, len(fault.ids) - len(pool))
    if fault.among == "request":
        named = seen.body.decode("utf-8", "replace") + " " + seen.path
        words = set(re.findall(r"[0-9A-Za-z]+", named))
        pool = [each for each in pool if each in words]
    return pool if fault.ids else active.pick(pool, fault.count)


def _kind(active: ActiveRule) -> str:
    return active.rule.fault.kind


def _pattern(path: str) -> re.Pattern[str]:
    segments = path.rstrip("/").split("/")
    return re.compile("/".join("[^/]+" if part == "*" or part[:1] == "{" else re.escape(part) for part in segments))
