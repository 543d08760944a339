"""The tables of docs/contract.md say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from ringfence.apps.cli import app as command_line
from ringfence.apps.cli import exit_codes
from ringfence.apps.registry import crm_plugins, group_of
from ringfence.apps.remedies import word
from ringfence.apps.setting_models import known_variables
from ringfence.apps.settings import load_settings
from ringfence.core.config.mapping import ObjectMapping
from ringfence.core.errors import FixError, RefusedError, RingfenceError, StoppedError
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.numbers import LineType, ReasonCode
from ringfence.core.runs.counts import Counts
from ringfence.core.runs.ending import describe_end
from ringfence.core.runs.summary import Summary

CONTRACT = (Path(__file__).resolve().parents[1] / "docs" / "contract.md").read_text(encoding="utf-8")


def rows(first_heading: str) -> list[list[str]]:
    """Return the cells of each row of the one table whose first column has this heading."""
    (table,) = re.findall(rf"^\| {first_heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", CONTRACT, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def quoted(text: str) -> list[str]:
    """Return what stands in back quotes, in its order."""
    return re.findall(r"`([^`]+)`", text)


def names(first_heading: str) -> list[str]:
    """Return what stands in back quotes in the first column of a table."""
    return [name for row in rows(first_heading) for name in quoted(row[0])]


def commands(group: TyperGroup, path: str = "ringfence") -> dict[str, TyperCommand | TyperGroup]:
    """Return every command by its words, those of groups included, and groups that do something by themselves."""
    found: dict[str, TyperCommand | TyperGroup] = {}
    for name, command in group.commands.items():
        words = f"{path} {name}"
        if isinstance(command, TyperGroup):
            found |= commands(command, words)
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            assert isinstance(command, TyperCommand | TyperGroup)
            found[words] = command
    return found


def options(command: TyperCommand | TyperGroup) -> set[str]:
    """Return the long names of a command's options."""
    spellings = [name for one in command.params for name in (*one.opts, *one.secondary_opts)]
    return {name for name in spellings if name.startswith("--")}


def test_statuses_and_which_of_them_may_be_called() -> None:
    documented = [(quoted(row[0])[0], row[2]) for row in rows("status")]

    assert documented == [(status.value, "yes" if status in CALLABLE else "no") for status in Status]


def test_reason_codes_belong_to_statuses() -> None:
    assert names("reason code") == [code.value for code in ReasonCode]
    assert {quoted(row[1])[0] for row in rows("reason code")} <= {status.value for status in Status}


def test_line_types() -> None:
    (listed,) = re.findall(r"^Line types: (.*?)\n\n", CONTRACT, re.MULTILINE | re.DOTALL)

    assert quoted(listed) == [line_type.value for line_type in LineType]


def test_companions_and_their_names_in_each_crm() -> None:
    documented = rows("companion")

    assert names("companion") == [companion.value for companion in Companion]
    for row, companion in zip(documented, Companion, strict=True):
        assert quoted(row[1]) == [crm_plugins()["salesforce"].companion_name("Phone", companion)]
        assert quoted(row[3]) == [crm_plugins()["hubspot"].companion_name("phone", companion)]


def test_keys_of_a_mapping() -> None:
    assert set(names("key of an object")) == set(ObjectMapping.model_fields)


def test_every_setting_is_named_once() -> None:
    documented = names("variable")

    # A connector that the contract says nothing about has its settings in its own README.
    owners = {owner_of(name) for name in documented}
    assert sorted(documented) == sorted(name for name in known_variables() if owner_of(name) in {"", *owners})


def owner_of(variable: str) -> str:
    """Return the part of a nested setting that names its connector or group; empty for a plain one."""
    owner, nested, _ = variable.removeprefix("RINGFENCE_").partition("__")
    return owner if nested else ""


def test_defaults_of_settings_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()

    for name, _, default in rows("variable"):
        field = quoted(name)[0].removeprefix("RINGFENCE_").lower()
        owner, _, inner = field.partition("__")
        owner = next((name for name in settings.connectors if group_of(name) == owner), owner)
        holder = settings.connectors.get(owner, getattr(settings, owner, None) if inner else None)
        value = getattr(holder, inner) if holder is not None else getattr(settings, owner)
        documented = quoted(default)
        shown = str(value).lower() if isinstance(value, bool) else str(value if value is not None else "none")
        assert shown == (documented[0] if documented else "none"), name


def test_every_command_with_its_own_options() -> None:
    group = typer.main.get_command(command_line.app)
    assert isinstance(group, TyperGroup)
    built = commands(group)
    shared = set.intersection(*map(options, built.values()))

    documented = {quoted(row[0])[0]: set(quoted(row[2])) for row in rows("command")}

    assert documented == {words: options(command) - shared for words, command in built.items()}
    for option in shared:
        assert f"`{option}`" in CONTRACT, f"every command has {option}, and the contract does not say so"


def test_exit_codes() -> None:
    of_runs = {getattr(exit_codes, name) for name in exit_codes.__all__ if name.isupper()}
    of_errors = {kind.exit_code for kind in (FixError, RefusedError, StoppedError, RingfenceError)}

    assert {int(row[0]) for row in rows("exit code")} == of_runs | of_errors


def test_keys_of_a_sync_in_json() -> None:
    printed = Summary("20261130-000000", "memory", end=describe_end(KeyboardInterrupt(), word)).to_json()

    assert sorted(names("key")) == sorted(printed)
    assert names("count of an object") == list(Counts.__dataclass_fields__)
