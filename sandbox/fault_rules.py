"""Rules at work: they count requests, decide by count and by chance when to act, and draw the records that they hit."""

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


def _pattern(path: str) -> re.Pattern[str]:
    segments = path.rstrip("/").split("/")
    return re.compile("/".join("[^/]+" if part == "*" or part[:1] == "{" else re.escape(part) for part in segments))
