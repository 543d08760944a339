"""What a second door would do: operations called without a command line, questions answered by the caller."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from ringfence.apps import operations
from ringfence.apps.operations.door import BuyLookups, CreateFields, Door, Question, Rescreen, TakeBack
from ringfence.apps.operations.file_screening import screen_file
from ringfence.apps.operations.first_write import FirstWrite
from ringfence.apps.operations.preflight import check_crm
from ringfence.apps.operations.regions import home_region
from ringfence.apps.operations.runs import apply_plan, sync_crm, undo_run
from ringfence.apps.operations.screening import screen_number
from ringfence.apps.operations.setup import emit_setup, plan_setup
from ringfence.apps.wiring import wire
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.core.errors import CostError, ErrorCode, UsageError
from ringfence.core.runs.run import NoProgress
from ringfence.core.runs.sync import SyncOptions
from ringfence.sandbox.server import Sandbox

PRODUCTION = "STANDARD"
"""What HubSpot calls the type of a production account."""


class NotWatched(NoProgress):
    """Progress that nobody watches, of a run or of a file."""

    def at(self, done: int, total: int) -> None:
        """Show nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing has to be cleared away."""


@dataclass
class Caller:
    """A door that keeps what it was asked, and agrees or not."""

    agrees: bool = True
    questions: list[Question] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def confirm(self, question: Question) -> None:
        self.questions.append(question)
        if not self.agrees:
            raise UsageError("Nobody agrees.")

    def show(self, title: str) -> NotWatched:
        self.titles.append(title)
        return NotWatched()

    @property
    def door(self) -> Door:
        return Door(self.confirm, self.show, explain=lambda error: f"the caller says {error.code}")


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A caller in a folder of its own, where the state lies."""
    monkeypatch.chdir(tmp_path)
    return Caller()


@pytest.fixture
def production(sandbox: Sandbox) -> None:
    sandbox.hubspot.account_type = PRODUCTION


@pytest.mark.usefixtures("settings", "production")
def test_a_production_org_is_asked_about_before_its_first_write_and_never_again(caller: Caller) -> None:
    first = sync_crm(wire(), "hubspot", SyncOptions(limit=5), caller.door)
    second = sync_crm(wire(), "hubspot", SyncOptions(limit=5), caller.door)

    (question,) = caller.questions
    assert isinstance(question, FirstWrite)
    assert first.total("written") > 0
    assert second.run_id != first.run_id
    assert caller.titles == ["sync hubspot", "sync hubspot"]


@pytest.mark.usefixtures("settings", "production")
@pytest.mark.parametrize("options", [SyncOptions(), SyncOptions(rescreen=True)])
def test_nothing_is_written_where_the_caller_does_not_agree(
    caller: Caller, sandbox: Sandbox, options: SyncOptions
) -> None:
    caller.agrees = False
    before = {id_: dict(row) for id_, row in sandbox.hubspot.contacts.items()}

    with pytest.raises(UsageError, match="Nobody agrees"):
        sync_crm(wire(), "hubspot", options, caller.door)

    assert {id_: dict(row) for id_, row in sandbox.hubspot.contacts.items()} == before
    assert caller.titles == []


@pytest.mark.usefixtures("settings")
def test_the_cost_of_a_rescreen_is_found_by_a_dry_run_and_handed_to_the_caller(
    caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    caller.agrees = False

    with pytest.raises(UsageError, match="Nobody agrees"):
        sync_crm(wire(), "hubspot", SyncOptions(rescreen=True), caller.door)

    (question,) = caller.questions
    assert isinstance(question, Rescreen)
    assert question.cost.dry_run
    assert question.cost.planned.lookups > 100
    assert caller.titles == ["dry run of hubspot"]
    assert not sandbox.twilio.billed


@pytest.mark.usefixtures("settings")
def test_what_nobody_has_agreed_to_pay_is_bought_once_the_caller_agrees(
    caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_TWILIO__PRICE", "0.5")

    bought = sync_crm(wire(), "hubspot", SyncOptions(), caller.door)

    (question,) = caller.questions
    assert isinstance(question, BuyLookups)
    assert question.cost == f"{question.lookups / 2:,.2f} USD"
    assert caller.titles == ["sync hubspot", "sync hubspot"]
    assert (bought.complete, bought.lookups) == (True, sandbox.twilio.billed.total())
    assert bought.lookups <= question.lookups == sandbox.twilio.requests.total()


@pytest.mark.usefixtures("settings")
def test_what_the_caller_does_not_agree_to_pay_is_not_bought(
    caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    caller.agrees = False

    with pytest.raises(CostError):
        sync_crm(wire(), "hubspot", SyncOptions(), caller.door)

    assert sandbox.twilio.requests.total() == 0


@pytest.mark.usefixtures("settings")
def test_a_run_that_stops_is_kept_in_the_words_of_the_caller(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "5")

    stopped = sync_crm(wire(), "hubspot", SyncOptions(), caller.door)

    assert stopped.stopped == f"the caller says {ErrorCode.LOOKUP_BUDGET_USED_UP}"


@pytest.mark.usefixtures("settings", "production")
def test_a_plan_is_applied_and_taken_back_after_a_question_each(caller: Caller) -> None:
    plan = Path("plan.json")

    planned = sync_crm(wire(), "hubspot", SyncOptions(dry_run=True, limit=20, plan_file=plan), caller.door)
    applied = apply_plan(wire(), "hubspot", plan, caller.door)
    rehearsed = undo_run(wire(), applied.run_id, caller.door, dry_run=True)
    undone = undo_run(wire(), applied.run_id, caller.door)

    assert [type(question) for question in caller.questions] == [FirstWrite, TakeBack]
    assert applied.total("written") == planned.total("written") > 0
    assert undone.fields == rehearsed.fields > 0
    assert caller.titles[1:] == ["apply plan.json", *[f"undo {applied.run_id}"] * 2]


def test_an_undo_of_an_unknown_run_asks_nobody_and_calls_nobody(caller: Caller) -> None:
    with pytest.raises(UsageError) as caught:
        undo_run(wire(), "nonsense", caller.door)

    assert caught.value.code is ErrorCode.RUN_NOT_FOUND
    assert caller.questions == []


def test_setup_asks_only_where_there_is_something_to_create(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(contacts=5, bare=True) as bare:
        bare.hubspot.account_type = PRODUCTION
        for name, value in bare.settings().items():
            monkeypatch.setenv(name, value)

        with plan_setup(wire(), "hubspot") as planned:
            created = list(planned.create(caller.door))
        with plan_setup(wire(), "hubspot") as again:
            assert list(again.create(caller.door)) == []

        assert [step.name for step in created] == [step.name for step in planned.steps]
        assert [type(question) for question in caller.questions] == [CreateFields]
        assert check_crm(wire(), "hubspot").ready


@pytest.mark.usefixtures("settings")
def test_a_number_and_a_file_are_screened_without_any_question(
    caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    file, options = Path("contacts.csv"), ScreenOptions(region="GB")
    file.write_text("phone\n020 7946 0018\n", encoding="utf-8")

    number = screen_number(wire(), "020 7946 0018", caller.door, region="GB")
    screened = screen_file(wire(), file, Path("out.csv"), options, caller.door, with_providers=True)

    assert (number.number.e164, number.lookups) == ("+442079460018", 1)
    assert (screened.complete, screened.lookups, screened.cache_hits) == (True, 0, 1)
    assert sandbox.twilio.billed == {"+442079460018": 1}
    assert caller.questions == []


def test_lookups_without_a_provider_are_refused_by_code(caller: Caller) -> None:
    with pytest.raises(UsageError) as caught:
        screen_file(wire(), Path("in.csv"), Path("out.csv"), ScreenOptions(), caller.door, with_providers=True)

    assert caught.value.code is ErrorCode.NO_PROVIDER


@pytest.mark.parametrize(
    ("region", "found"), [(None, None), ("", None), ("gb", "GB"), ("Germany", "DE")], ids=lambda value: str(value)
)
def test_a_region_is_a_code_or_a_name(caller: Caller, region: str | None, found: str | None) -> None:
    assert home_region(wire(), region) == found


def test_a_region_that_is_none_is_refused(caller: Caller) -> None:
    with pytest.raises(UsageError, match="'Atlantis' is no country"):
        home_region(wire(), "Atlantis")


@pytest.mark.parametrize("foreign", ["typer", "rich", "cli", "print"])
def test_operations_print_nothing_and_know_no_command_line(foreign: str) -> None:
    for path in Path(operations.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = set()
            if isinstance(node, ast.ImportFrom):
                named = {*(node.module or "").split("."), *(name.name for name in node.names)}
            elif isinstance(node, ast.Import):
                named = {part for name in node.names for part in name.name.split(".")}
            elif isinstance(node, ast.Name):
                named = {node.id}

            assert foreign not in named, f"{path.name}: {foreign}"


def test_the_environment_is_read_in_one_module() -> None:
    apps = Path(operations.__file__).parents[1]
    readers = [path.name for path in apps.rglob("*.py") if "os.environ" in path.read_text("utf-8")]

    # The demo sets what its own syncs read, and gives back what was there.
    assert sorted(readers) == ["demo.py", "environment.py"]


def test_every_operation_is_documented_with_what_it_raises() -> None:
    for operation in (sync_crm, apply_plan, undo_run, screen_number, screen_file, check_crm, emit_setup):
        assert "Raises" in (operation.__doc__ or ""), operation
