"""The rules of a faults file at run time: they count requests, decide when to act, and draw records."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

from .fault_kinds import Fault, RecordFault
from .faults import Purpose, Rule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a rule can be about: method, path (as a rule writes it), purpose, and the body as it came."""

    method: str
    path: str
    purpose: Purpose
    body: bytes = b""


@dataclass(slots=True)
class ActiveRule:
    """A rule while the sandbox runs: `number` is its place in the file, from 0, and `seed` the start of its own chance.

    `matched` counts the requests that it is about, `acted` those at which it acted, `refusals` those of each row.
    """

    number: int
    rule: Rule
    seed: str
    matched: int = 0
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

    def is_due(self, facts: RequestFacts) -> bool:
        """Count a request if the rule is about it, and tell whether the rule acts at it."""
        when = self.rule.when
        if (
            when.method not in (None, facts.method)
            or when.purpose not in (None, facts.purpose)
            or (self._path is not None and not self._path.fullmatch(facts.path))
        ):
            return False

        self.matched += 1
        if not self._in_count() or (when.times is not None and self.acted >= when.times):
            return False
        if when.probability is not None and self.random.random() >= when.probability:
            return False

        self.acted += 1
        return True

    def selects(self, key: str, fraction: float) -> bool:
        """Tell whether a row belongs to the share `fraction` (0 to 1): always the same rows for the same seed."""
        draw = int.from_bytes(sha256(f"{self.seed}:{key}".encode()).digest()[:8])
        return draw < fraction * 2**64

    def refuses(self, key: str, tries: int | None) -> bool:
        """Return whether a row is refused again, and count that refusal.

        A row passes once it has been refused `tries` times; with None it never does.
        """
        if tries is not None and self.refusals[key] >= tries:
            return False
        self.refusals[key] += 1
        return True

    def pick(self, pool: Sequence[str], count: int) -> list[str]:
        """Return `count` members of the pool, drawn by the rule's seed, or all where there are fewer."""
        return self.random.sample(pool, min(count, len(pool)))

    def _in_count(self) -> bool:
        when, count = self.rule.when, self.matched
        start = when.after or 0
        return (
            when.nth in (None, count)
            and count > start
            and (when.every is None or (count - start) % when.every == 0)
            and (when.between is None or when.between[0] <= count <= when.between[1])
        )


def choose_records(
    active: ActiveRule, fault: RecordFault, facts: RequestFacts, live_ids: Callable[[], Sequence[str]]
) -> list[str]:
    """Return the ids of the records that a fault is about, drawn where it names none.

    `live_ids` returns those of all records that are neither deleted nor merged away.
    """
    pool = list(live_ids())

    if fault.ids:
        alive = set(pool)
        pool = [each for each in fault.ids if each in alive]
        if len(pool) < len(fault.ids):
            log.warning("rule %d: %d of its ids name no live record", active.number, len(fault.ids) - len(pool))

    if fault.among == "request":
        named = facts.body.decode("utf-8", "replace") + " " + facts.path
        words = set(re.findall(r"[0-9A-Za-z]+", named))
        pool = [each for each in pool if each in words]

    return pool if fault.ids else active.pick(pool, fault.count)


def _pattern(path: str) -> re.Pattern[str]:
    segments = path.rstrip("/").split("/")
    return re.compile("/".join("[^/]+" if part == "*" or part[:1] == "{" else re.escape(part) for part in segments))
