"""Every promise at once: hypothesis lives with a CRM in memory, lets whatever may happen happen, and a model judges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy.engine import make_url

from ringfence.connectors.memory import MemoryBulk
from ringfence.core.errors import AuthenticationError
from ringfence.core.model.caps import Caps
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import open_store
from testkit.living_model import LivingModel, check_counts
from testkit.living_state import FileState, LivingState, ServerState
from testkit.living_world import KEY, POLICY, SHAPES, Clock, Killed, Provider, World, be_cut_off
from testkit.postgres import ENGINES, PostgresServer

PEOPLE = [f"p{i}" for i in range(9)]
NUMBERS = [f"+1 415 555 01{i:02}" for i in range(12)] + ["(415) 555-0100", "415.555.0103"]
TOLD_BY_COUNTRY = ["020 7946 0018", "+44 20 7946 0018", "030 901820"]
CELLS = [*NUMBERS, *TOLD_BY_COUNTRY, "", "n/a", "0000000000", "+1 999 555 0100", "+1 415 555 0107 / +1 415 555 0108"]
COUNTRIES = ["", "US", "GB", "DE", "Atlantis"]
EXAMPLES, STEPS = 40, 25


class Life(LivingModel, RuleBasedStateMachine):
    """What people, the CRM, the provider and the machine may do, in any order; and the model of what must be."""

    empty: ClassVar[Path]
    state: ClassVar[LivingState]

    @initialize(bulk=st.booleans(), cells=st.lists(st.sampled_from(CELLS), min_size=6, max_size=12))
    def begin(self, bulk: bool, cells: list[str]) -> None:
        self.file = self.empty.with_name("state.db")
        self.store = self.state.open_new()
        self.clock = Clock()
        self.crm = World(self.clock)
        self.crm.bulk = MemoryBulk(self.crm) if bulk else None
        self.provider = Provider(self.clock, self.crm.step)
        self.typed: dict[str, dict[str, Any]] = {}
        self.asked: set[str] = set()
        self.ever_asked: set[str] = set()
        self.ever_held: dict[str, set[str]] = {}
        self.lowered: set[str] = set()
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
            if "optout" in values:
                (self.raise_flag if values["optout"] else self.lower_flag)(id_)
            self.typed[id_].update(values)
            self.crm.put("people", id_, **values)
            self.note_covered()

    @rule(
        act=st.sampled_from(
            [
                "create",
                "retype",
                "retype",
                "ask",
                "ask",
                "move",
                "filter",
                "delete",
                "merge",
                "transaction",
                "commit",
                "freeze",
            ]
        ),
        id_=st.sampled_from(PEOPLE),
        other=st.sampled_from(PEOPLE),
        role=st.sampled_from(["phone", "mobile"]),
        cell=st.sampled_from(CELLS),
        country=st.sampled_from(COUNTRIES),
        yes=st.booleans(),
    )
    def people_do(self, act: str, id_: str, other: str, role: str, cell: str, country: str, yes: bool) -> None:
        match act:
            case "create":
                self.create(id_, phone=cell, mobile="")
            case "retype":
                self.edit(id_, **{role: cell})
            case "ask":
                self.edit(id_, optout=yes)
            case "move":
                self.edit(id_, country=country)
            case "filter":
                self.edit(id_, vip=yes)
            case "delete" if self.typed.pop(id_, None):
                self.asked.discard(id_)
                self.crm.delete("people", id_)
            case "merge" if id_ != other and {id_, other} <= set(self.typed):
                del self.typed[other]
                self.asked.discard(other)
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
        mood=st.sampled_from(["well", "refuses", "cut off", "out of order", "bad key"]),
    )
    def the_world_changes(self, change: str, days: float, mood: str) -> None:
        if change == "time":
            self.clock.sleep(round(days * 86_400))
        elif change == "provider":
            self.provider.mood = mood
        else:
            self.lose_the_state()

    def lose_the_state(self) -> None:
        self.forget_whose_flags()
        self.store.close()
        self.store = self.state.open_new()
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
            "cut off": be_cut_off,
            "interrupted": _be_interrupted,
            "edited": lambda: self.edit(PEOPLE[at % 4], phone=cell, mobile=cell, optout=at % 3 == 0),
        }
        self.crm.happen, self.crm.where = happen.get(trouble, lambda: None), where
        self.crm.left = None if trouble == "none" else at if where else 3 * at
        self.sync(budget, **options)

    def sync(self, budget: int | None = None, **options: Any) -> Summary | None:
        self.clock.sleep(5)
        job = SyncJob(
            self.crm, self.crm.identify(), SHAPES, self.store, POLICY, self.clock, [self.provider], Caps(budget)
        )
        billed, silent = len(self.provider.billed), self.silent_slots()
        summary, ended = None, True

        try:
            summary = run_sync(job, SyncOptions(**options))
        except Killed:
            ended = False
            self.rise_again()
        except KeyboardInterrupt:
            ended = False
        except AuthenticationError:
            pass  # of the provider: the run went to its end before it told
        finally:
            undisturbed, self.crm.left = self.crm.left is None, None
        if ended and undisturbed and "limit" not in options:
            self.check_enforced()

        assert budget is None or len(self.provider.billed) - billed <= budget

        self.check_what_people_typed()
        self.note_covered()
        self.check_silence(silent)
        if summary is not None:
            check_counts(summary)
        return summary

    def be_killed(self) -> None:
        """Keep the state as a process that dies now leaves it."""
        self.state.die(self.store)
        raise Killed

    def rise_again(self) -> None:
        self.store.close()
        self.store = self.state.open_left()


def _be_interrupted() -> None:
    raise KeyboardInterrupt


@pytest.fixture(params=ENGINES)
def examples(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Let lives have their state on each engine, and tell how many; what they are measured by is kept in a file."""
    Life.empty = tmp_path / "empty.db"
    open_store(f"sqlite:///{Life.empty}", KEY).close()
    if request.param == "sqlite":
        Life.state = FileState(Life.empty)
        yield EXAMPLES
        return

    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as empty:
        open_store(empty, KEY).close()
        Life.state = state = ServerState(server, str(make_url(empty).database))
        yield EXAMPLES // 3
        state.close()


def test_every_promise_holds_whatever_happens(examples: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
