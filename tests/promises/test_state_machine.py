"""Every promise at once: hypothesis lives with a CRM in memory, lets whatever may happen happen, and a model judges."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from ringfence.connectors.memory import MemoryBulk, MemoryCrm, MemoryFeed, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.model.values import Change, Record, RowResult
from ringfence.core.numbers import read_number
from ringfence.core.ports.crm import Page
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import open_store

MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {normalize: true}}
    opt_out: {field: optout}
    region: {default: US}
"""
SHAPES = resolve(parse_mapping(MAPPING, "test"), companion_name)
OWNED = SHAPES["people"].owned_fields()
KEY = base64.b64encode(bytes(32)).decode()
POLICY = Policy()
PEOPLE = [f"p{i}" for i in range(9)]
NUMBERS = [f"+1 415 555 01{i:02}" for i in range(12)] + ["(415) 555-0100", "415.555.0103"]
CELLS = [*NUMBERS, "", "n/a", "+1 999 555 0100", "+1 415 555 0107 / +1 415 555 0108"]
ANSWERS: Mapping[int, Mapping[str, Any]] = {
    0: {"kind": AnswerKind.KNOWN, "valid": True, "line": "disconnected"},
    1: {"kind": AnswerKind.KNOWN, "valid": True, "line": "unreachable"},
    2: {"kind": AnswerKind.KNOWN, "valid": False},
    3: {"kind": AnswerKind.INCONCLUSIVE, "valid": True},
}
SAID = {"kind": AnswerKind.KNOWN, "valid": True, "line": "active", "line_type": "mobile"}
EXAMPLES, STEPS = 100, 25
JUDGED = ("status", "e164", "line_type", "screened_value")


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

    def _pages(self, name: str, records: list[Record]) -> Iterator[Page]:
        for page in super()._pages(name, records):
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
        self.refuse = lambda change: ("RULE", "frozen") if change.id in self.refused else None

    def step(self, where: str) -> None:
        if self.left is not None and self.where in ("", where):
            self.left -= 1
            if self.left == 0:
                self.happen()

    def open_feed(self, cursors: Mapping[str, str | None]) -> MemoryFeed:
        feed = super().open_feed(cursors)
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

    def __init__(self, clock: Clock, step: Callable[[str], None]) -> None:
        self.clock, self.step, self.mood = clock, step, "well"
        self.billed: dict[str, datetime] = {}
        self.lost: set[str] = set()

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        for number in numbers:
            unknown_before = number in self.lost
            # From here on a process that dies does not know whether the question was billed.
            self.lost.add(number)

            try:
                self.step("ask")
                if self.mood == "out of order":
                    _be_cut_off()
            except UnreachableError:
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
                yield Answer(number, AnswerKind.FAILED, self.clock.now(), code="cut off")
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


class Life(RuleBasedStateMachine):
    """What people, the CRM, the provider and the machine may do, in any order; and the model of what must be."""

    empty: ClassVar[Path]

    @initialize(bulk=st.booleans(), cells=st.lists(st.sampled_from(CELLS), min_size=6, max_size=12))
    def begin(self, bulk: bool, cells: list[str]) -> None:
        self.file = self.empty.with_name("state.db")
        self._new_state()
        self.clock = Clock()
        self.crm = World(self.clock)
        self.crm.bulk = MemoryBulk(self.crm) if bulk else None
        self.provider = Provider(self.clock, self.crm.step)
        self.typed: dict[str, dict[str, Any]] = {}
        self.ever_covered: set[str] = set()
        for id_, phone, mobile in zip(PEOPLE, cells[::2], cells[1::2], strict=False):
            self.create(id_, phone=phone, mobile=mobile)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            try:
                self.settle()
            finally:
                self.store.close()

    # -- people ----------------------------------------------------------------------------------------------------

    def edit(self, id_: str, **values: Any) -> None:
        if id_ in self.typed:
            self.typed[id_].update(values)
            self.crm.put("people", id_, **values)
            self.note_covered()

    @rule(
        act=st.sampled_from(
            ["create", "retype", "retype", "ask", "ask", "filter", "delete", "merge", "transaction", "commit", "freeze"]
        ),
        id_=st.sampled_from(PEOPLE),
        other=st.sampled_from(PEOPLE),
        role=st.sampled_from(["phone", "mobile"]),
        cell=st.sampled_from(CELLS),
        yes=st.booleans(),
    )
    def people_do(self, act: str, id_: str, other: str, role: str, cell: str, yes: bool) -> None:
        match act:
            case "create":
                self.create(id_, phone=cell, mobile="")
            case "retype":
                self.edit(id_, **{role: cell})
            case "ask":
                self.edit(id_, optout=yes)
            case "filter":
                self.edit(id_, vip=yes)
            case "delete" if self.typed.pop(id_, None):
                self.crm.delete("people", id_)
            case "merge" if id_ != other and {id_, other} <= set(self.typed):
                del self.typed[other]
                self.crm.merge("people", id_, other)
            case "transaction" if id_ in self.typed:
                self.crm.under_way.append((id_, {"phone": cell}, self.clock.now()))
            case "commit":
                self.commit()
            case "freeze":
                (self.crm.refused.add if yes else self.crm.refused.discard)(id_)

    def create(self, id_: str, **values: Any) -> None:
        self.typed.setdefault(id_, {})
        self.edit(id_, name=f"name of {id_}", **values)

    def commit(self) -> None:
        for id_, values, _ in self.crm.under_way:
            if id_ in self.typed:
                self.typed[id_].update(values)
        self.crm.commit()
        self.note_covered()

    # -- the world -------------------------------------------------------------------------------------------------

    @rule(
        change=st.sampled_from(["time", "time", "provider", "provider", "state"]),
        days=st.sampled_from([0.01, 1, 12, 31]),
        mood=st.sampled_from(["well", "refuses", "cut off", "out of order"]),
    )
    def the_world_changes(self, change: str, days: float, mood: str) -> None:
        if change == "time":
            self.clock.sleep(round(days * 86_400))
        elif change == "provider":
            self.provider.mood = mood
        else:
            self.lose_the_state()

    def lose_the_state(self) -> None:
        self.store.close()
        self._new_state()
        # What the CRM tells is not to be bought again; what only the state knew may be.
        told = self.told_by_the_crm()
        self.provider.billed = {number: when for number, when in self.provider.billed.items() if number in told}

    # -- runs ------------------------------------------------------------------------------------------------------

    @rule(
        trouble=st.sampled_from(["none", "killed", "killed", "cut off", "interrupted", "edited"]),
        at=st.integers(1, 8),
        where=st.sampled_from(["", "", "read", "ask", "ask", "write"]),
        cell=st.sampled_from(CELLS),
        options=st.sampled_from([{}, {}, {"full": True}, {"rescreen": True}, {"limit": 2}, {"limit": 5, "full": True}]),
        budget=st.none() | st.integers(0, 3),
    )
    def run(self, trouble: str, at: int, where: str, cell: str, options: dict[str, Any], budget: int | None) -> None:
        happen = {
            "killed": self.be_killed,
            "cut off": _be_cut_off,
            "interrupted": _be_interrupted,
            "edited": lambda: self.edit(PEOPLE[at % 4], phone=cell, mobile=cell, optout=at % 3 == 0),
        }
        self.crm.happen, self.crm.where = happen.get(trouble, lambda: None), where
        self.crm.left = at if where else 3 * at
        self.sync(budget, **options)

    def sync(self, budget: int | None = None, **options: Any) -> Summary | None:
        self.clock.sleep(5)
        job = SyncJob(self.crm, self.crm.identify(), SHAPES, self.store, POLICY, self.clock, [self.provider], budget)
        billed = len(self.provider.billed)
        summary = None

        try:
            summary = run_sync(job, SyncOptions(**options))
        except Killed:
            self.rise_again()
        except KeyboardInterrupt:
            pass
        finally:
            self.crm.left = None

        assert budget is None or len(self.provider.billed) - billed <= budget

        self.check_what_people_typed()
        self.note_covered()
        if summary is not None:
            _check_counts(summary)
        return summary

    def be_killed(self) -> None:
        """Keep the state as a process that dies now leaves it."""
        with closing(sqlite3.connect(self.file)) as live, closing(sqlite3.connect(f"{self.file}.left")) as left:
            live.backup(left)
            # The dead run's process would live on in the lease, for it is the one that runs these tests.
            left.execute("UPDATE leases SET process_started = 'another process'")
            left.commit()
        raise Killed

    def rise_again(self) -> None:
        self.store.close()
        self._new_state(Path(f"{self.file}.left"))

    def _new_state(self, content: Path | None = None) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(content or self.empty, self.file)
        self.store = open_store(f"sqlite:///{self.file}", KEY)

    # -- the model -------------------------------------------------------------------------------------------------

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return self.crm.rows["people"]

    def note_covered(self) -> None:
        for row in self.rows().values():
            if row.get("optout"):
                self.ever_covered.update(_numbers(row))

    def told_by_the_crm(self) -> set[str]:
        """Return the numbers whose last bought answer, or the loss of it, stands in the CRM."""
        found = set()
        for row in self.rows().values():
            for role in ("phone", "mobile"):
                content, about = str(row.get(role) or "").strip(), row.get(f"rf_{role}_screened_value")
                number, reason = str(row.get(f"rf_{role}_e164")), str(row.get(f"rf_{role}_reason"))
                bought = self.provider.billed.get(number)
                told = reason.split(":")[0] in (
                    "live",
                    "out_of_service",
                    "unreachable",
                    "provider_invalid",
                    "inconclusive",
                )
                if told and bought and content and content == about and row[f"rf_{role}_last_screened"] >= bought:
                    found.add(number)

        return found

    def check_what_people_typed(self) -> None:
        assert set(self.rows()) == set(self.typed)
        for id_, typed in self.typed.items():
            row = self.rows()[id_]
            assert [name for name in ("name", "vip", "phone") if row.get(name) != typed.get(name)] == []
            mobile, cell = row.get("mobile"), typed.get("mobile")
            assert mobile == cell or mobile == read_number(str(cell), "US").e164, "an edit is lost"
            assert row.get("optout") or not typed.get("optout"), "a flag went down"

    def settle(self) -> None:
        """Let all be well again: then runs come to an end, and everything says what a first run would say."""
        self.provider.mood = "well"
        self.crm.refused = set()
        self.commit()
        self.finish()
        self.compare(exactly=False)
        self.sync(full=True)
        self.finish()
        self.compare(exactly=True)

    def finish(self) -> None:
        for _ in range(5):
            summary = self.sync()
            assert summary is not None
            if summary.complete and not summary.total("written") and not summary.waiting:
                return
        raise AssertionError(f"the runs do not come to an end: {summary}")

    def compare(self, *, exactly: bool) -> None:
        wanted = self.first_run()
        for id_, row in self.rows().items():
            assert bool(row.get("optout")) == bool(wanted[id_].get("optout")), f"flag of {id_}"
            for role in ("phone", "mobile"):
                said, should = ([one.get(f"rf_{role}_{name}") for name in JUDGED] for one in (row, wanted[id_]))
                silenced = said[0] == "do_not_contact"
                if row.get("vip"):
                    assert silenced or should[0] != "do_not_contact", f"{id_} {role}: not silenced"
                elif said != should and not self._may_differ(row, role, exactly=exactly):
                    why = row.get(f"rf_{role}_reason")
                    raise AssertionError(f"{id_} {role}: says {said}, should say {should}; {why}")

    def _may_differ(self, row: Mapping[str, Any], role: str, *, exactly: bool) -> bool:
        numbers, says = set(_numbers({role: row.get(role)})), row.get(f"rf_{role}_status")
        if numbers & self.provider.lost:
            return True
        # A slot that speaks again is planned without a lookup: the numbering plan's word stands until it has aged.
        told_offline = says == "valid" and str(row.get(f"rf_{role}_reason")).startswith("allocated")
        return bool(numbers & self.ever_covered) and (told_offline or (not exactly and says == "do_not_contact"))

    def first_run(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows as a first, unbroken run over bare records with an own state leaves them."""
        bare = World(self.clock)
        for id_, row in self.rows().items():
            bare.put("people", id_, **{name: value for name, value in row.items() if not name.startswith("rf_")})
        file = self.file.with_name("other.db")
        shutil.copy(self.empty, file)
        store = open_store(f"sqlite:///{file}", KEY)
        provider = Provider(self.clock, lambda _where: None)
        run_sync(SyncJob(bare, bare.identify(), SHAPES, store, POLICY, self.clock, [provider]), SyncOptions())
        store.close()
        return bare.rows["people"]


def _be_cut_off() -> None:
    raise UnreachableError("The line is down.")


def _be_interrupted() -> None:
    raise KeyboardInterrupt


def _numbers(row: Mapping[str, Any]) -> list[str]:
    found = [read_number(str(row.get(role) or ""), "US") for role in ("phone", "mobile")]
    return [e164 for number in found for e164 in (number.e164, *number.others) if e164]


def _check_counts(summary: Summary) -> None:
    for counts in summary.objects.values():
        assert counts.read == counts.skipped_recent + counts.due
        outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
        assert counts.due == outcomes


def test_every_promise_holds_whatever_happens(tmp_path: Path) -> None:
    Life.empty = tmp_path / "empty.db"
    open_store(f"sqlite:///{Life.empty}", KEY).close()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
