"""What Airflow, Dagster and Prefect make of each exit code; the tools themselves are played by stand-ins."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import pytest

from ringfence.core.errors import ErrorCode
from ringfence.core.state.jobs.retries import Failure, decide

from .exit_code_table import DEPLOY, read_table
from .shipped_commands import refuse_unknown

FILES = sorted((DEPLOY / "orchestrators").glob("*.py"))
CODES = sorted(read_table())

SITUATIONS = [each.value for each in ErrorCode]


class Attempt(Protocol):
    """What a tool makes of a try: `done`, `tried again` or `failed`."""

    def __call__(self, code: int, number: int = 1, situation: str = "") -> str:
        """Take the exit code of the command, the number of the try, from 1, and the situation that it names."""
        ...


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


def decorator(*function: Any, **_options: Any) -> Any:
    return function[0] if function else lambda decorated: decorated


class FailError(Exception):
    """What a tool takes as: not again."""

    def __init__(self, message: str, *, allow_retries: bool = False) -> None:
        super().__init__(message)
        self.allow_retries = allow_retries


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Give a way to load an entry point over stand-ins of its tool, whose command ends as `code` of the result says."""

    def loaded(name: str, **tool: ModuleType) -> Any:
        for dotted, stand_in in tool.items():
            monkeypatch.setitem(sys.modules, dotted.replace("__", "."), stand_in)
        spec = importlib.util.spec_from_file_location(name, DEPLOY / "orchestrators" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        entry: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(entry)

        program = tmp_path / "ringfence"
        program.write_text("#!/bin/sh\ncat document\nexit $(cat code)\n", encoding="utf-8")
        program.chmod(0o700)
        entry.RINGFENCE, entry.FOLDER = str(program), str(tmp_path)

        def end_with(code: int, situation: str) -> None:
            (tmp_path / "code").write_text(str(code), encoding="utf-8")
            (tmp_path / "document").write_text(json.dumps({"code": situation}), encoding="utf-8")

        entry.end_with = end_with
        return entry

    return loaded


@pytest.fixture
def airflow(load: Callable[..., Any]) -> Attempt:
    tries = SimpleNamespace(try_number=1)

    def task(**_options: Any) -> Any:
        return lambda function: SimpleNamespace(function=function, expand=lambda **_mapped: None)

    sdk = module("airflow.sdk", dag=decorator, task=task, get_current_context=lambda: {"ti": tries})
    exceptions = module("airflow.sdk.exceptions", AirflowFailException=FailError)
    entry = load("airflow_dag", airflow=module("airflow"), airflow__sdk=sdk, airflow__sdk__exceptions=exceptions)

    def attempt(code: int, number: int = 1, situation: str = "") -> str:
        entry.end_with(code, situation)
        tries.try_number = number
        try:
            entry.sync.function("salesforce")
        except FailError:
            return "failed"
        except RuntimeError:
            return "tried again"
        return "done"

    return attempt


@pytest.fixture
def dagster(load: Callable[..., Any]) -> Attempt:
    def make(**options: Any) -> Any:
        return SimpleNamespace(**options)

    tool = module("dagster", op=decorator, job=lambda function: function, Failure=FailError)
    vars(tool).update(
        RetryPolicy=make,
        Definitions=make,
        ScheduleDefinition=make,
        Backoff=SimpleNamespace(EXPONENTIAL=None),
        OpExecutionContext=object,
        MetadataValue=SimpleNamespace(json=dict),
    )
    entry = load("dagster_job", dagster=tool)

    def attempt(code: int, number: int = 1, situation: str = "") -> str:
        entry.end_with(code, situation)
        context = SimpleNamespace(retry_number=number - 1, add_output_metadata=lambda _metadata: None)
        try:
            entry.sync_of("salesforce")(context)
        except FailError as failure:
            return "tried again" if failure.allow_retries else "failed"
        return "done"

    return attempt


@pytest.fixture
def prefect(load: Callable[..., Any]) -> Attempt:
    tool = module("prefect", flow=decorator, task=decorator)
    entry = load("prefect_flow", prefect=tool, prefect__tasks=module("prefect.tasks", exponential_backoff=dict))

    def attempt(code: int, number: int = 1, situation: str = "") -> str:
        entry.end_with(code, situation)
        try:
            entry.sync("salesforce")
        except entry.EndedError as ended:
            state = SimpleNamespace(result=lambda raise_on_failure, ended=ended: ended)
            again = entry.worth_a_retry(None, SimpleNamespace(run_count=number), state)
            return "tried again" if again else "failed"
        return "done"

    return attempt


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("tool", ["airflow", "dagster", "prefect"])
def test_an_exit_code_is_taken_as_the_table_says(tool: str, code: int, request: pytest.FixtureRequest) -> None:
    attempt: Attempt = request.getfixturevalue(tool)
    row = read_table()[code]

    assert attempt(code, 1) == row.first_try
    assert attempt(code, 2) == row.second_try


@pytest.mark.parametrize("tool", ["airflow", "dagster", "prefect"])
def test_what_needs_a_person_is_what_a_worker_does_not_try_again(tool: str, request: pytest.FixtureRequest) -> None:
    attempt: Attempt = request.getfixturevalue(tool)
    given_up = [each for each in SITUATIONS if decide(stopped(each), attempts=1, faults=0, jitter=0) is None]

    assert [each for each in SITUATIONS if attempt(4, situation=each) == "failed"] == given_up
    assert "lookup_budget_used_up" in given_up


def stopped(situation: str) -> Failure:
    return Failure(4, frozenset({situation}), "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_entry_point_starts_a_command_that_is_there(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    (command,) = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and [getattr(name, "id", "") for name in node.targets] == ["command"]
    ]
    assert isinstance(command, ast.List)

    words = [word.value if isinstance(word, ast.Constant) else "salesforce" for word in command.elts[1:]]

    refuse_unknown([str(word) for word in words])
