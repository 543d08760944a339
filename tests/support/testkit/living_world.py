"""A CRM and a provider in memory to which anything may happen at any step."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.connectors.memory import MemoryCrm, MemoryFeed, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.errors import AuthenticationError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Axis
from ringfence.core.model.policy import Policy
from ringfence.core.model.values import Change, Outcome, Record, RowResult
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Page
from ringfence.core.ports.lookup import ProviderProfile
from ringfence.core.ports.own_writes import OwnWrites, no_own_writes

MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {normalize: true}}
    opt_out: {field: optout}
    region: {field: country, default: US}
"""
SHAPES = resolve(parse_mapping(MAPPING, "test"), companion_name)
OWNED = SHAPES["people"].owned_fields()
KEY = base64.b64encode(bytes(32)).decode()
POLICY = Policy()
ANSWERS: Mapping[int, Mapping[str, Any]] = {
    0: {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "disconnected"},
    1: {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "unreachable"},
    2: {"kind": AnswerKind.KNOWN, "validity": Validity.INVALID},
    3: {"kind": AnswerKind.INCONCLUSIVE, "validity": Validity.VALID},
}
SAID = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "active", "line_type": "mobile"}


class Killed(BaseException):
    """The process dies here; nothing that is cleaned up on the way out has happened."""


class Clock:
    """Whole seconds that pass when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Feed(MemoryFeed):
    """A feed on which something may happen before each page."""

    def pages(self, name: str, records: list[Record]) -> Iterator[Page]:
        for page in super().pages(name, records):
            self.crm.step("read")  # type: ignore[attr-defined]
            yield page


class World(MemoryCrm):
    """A CRM in which something happens at a given step, and in which transactions may be under way."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(SHAPES, clock, fields={"people": {*SHAPES["people"].read_fields(), "name", "vip"}})
        self.in_scope = lambda _object, row: not row.get("vip")
        self.under_way: list[tuple[str, dict[str, Any], datetime]] = []
        self.happen: Callable[[], None] = lambda: None
        self.left: int | None = None
        self.where = ""
        self.refused: set[str] = set()
        self.derived: set[str] = set()  # whose flag ringfence has ever raised
        self.refuse = lambda change: ("RULE", "frozen") if change.id in self.refused else None

    def step(self, where: str) -> None:
        if self.left is not None and self.where in ("", where):
            self.left -= 1
            if self.left == 0:
                self.happen()

    def open_feed(self, cursors: Mapping[str, str | None], own_writes: OwnWrites = no_own_writes) -> MemoryFeed:
        feed = super().open_feed(cursors, own_writes)
        started = [stamp for _, _, stamp in self.under_way]
        return Feed(self, feed.cursors, min([feed.watermark, *started]))

    def fetch(self, object_name: str, ids: Any) -> list[Record]:
        self.step("read")
        found = super().fetch(object_name, ids)
        self.step("read")
        return found

    def write_one(self, change: Change) -> RowResult:
        self.step("write")
        for item in change.fields:
            assert item.field in OWNED, f"{item.field} is not ours"
            assert item.field != "optout" or item.new is True, "a flag would go down"
        result = super().write_one(change)
        if result.outcome is Outcome.WRITTEN and "optout" in change.names:
            self.derived.add(change.id)
        self.step("write")
        return result

    def commit(self) -> None:
        for id_, values, stamp in self.under_way:
            if id_ in self.rows["people"]:
                self.rows["people"][id_].update(values)
                self.modified["people", id_] = stamp
        self.under_way = []


class Provider:
    """A provider that says the same about a number every time, if it says anything; it knows what it has billed."""

    name, realm = "fake", "fake:host:account"
    price: float | None = 0.0
    pace: float | None = None
    profile = ProviderProfile("fake", frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE}))

    def __init__(self, clock: Clock, step: Callable[[str], None]) -> None:
        self.clock, self.step, self.mood = clock, step, "well"
        self.billed: dict[str, datetime] = {}
        self.lost: set[str] = set()

    def check(self) -> str | None:
        return None

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        for number in numbers:
            unknown_before = number in self.lost
            # From here on a process that dies does not know whether the question was billed.
            self.lost.add(number)

            try:
                self.step("ask")
                if self.mood == "out of order":
                    be_cut_off()
                if self.mood == "bad key":
                    be_refused()
            except (UnreachableError, AuthenticationError):
                self._forget(number, unknown_before)
                raise

            if self.mood == "refuses":
                self._forget(number, unknown_before)
                yield Answer(number, AnswerKind.FAILED, self.clock.now(), code="503", paid=False)
                continue

            self._bill(number)
            mood = self.mood

            try:
                self.step("ask")
            except UnreachableError:
                mood = "cut off"

            if mood == "cut off":
                yield Answer(number, AnswerKind.LOST, self.clock.now(), code="cut off")
                continue

            self.lost.discard(number)
            yield Answer(number, observed_at=self.clock.now(), **ANSWERS.get(int(number[-1]), SAID))

    def _bill(self, number: str) -> None:
        before, now = self.billed.get(number), self.clock.now()
        assert before is None or now - before >= POLICY.max_age, f"{number} is paid for twice"
        self.billed[number] = now

    def _forget(self, number: str, unknown_before: bool) -> None:
        if not unknown_before:
            self.lost.discard(number)

    def close(self) -> None:
        """Nothing is held."""


def be_cut_off() -> None:
    raise UnreachableError("The line is down.")


def be_refused() -> None:
    raise AuthenticationError("The key has expired.")
