"""Which command lines a schedule may start, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from ringfence.apps.cli.app import app
from ringfence.apps.cli.unattended import SAFE, UNSAFE, read_command_line
from ringfence.core.errors import UsageError


@pytest.fixture
def group() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def commands(group: TyperGroup, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path}{name} ")
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            yield path + name


def test_of_each_command_it_is_said_whether_it_is_safe(group: TyperGroup) -> None:
    known = set(commands(group))

    assert known <= {*SAFE, *UNSAFE}, "say in SAFE or UNSAFE whether it may be started when nobody is there"
    assert set(SAFE) <= known
    assert not set(SAFE) & set(UNSAFE)


@pytest.mark.parametrize(
    ("text", "command", "account"),
    [
        ("sync salesforce", "sync", "salesforce"),
        ("ringfence sync hubspot --full", "sync", "hubspot"),
        ("sync --all --yes --limit 100", "sync", None),
        ("sync salesforce --dry-run", "sync", "salesforce"),
        ("sync salesforce --mapping 'my maps/a.yaml'", "sync", "salesforce"),
        ("check", "check", None),
        ("check hubspot --json", "check", "hubspot"),
        ("screen list.csv -o clean.csv --force", "screen", None),
        ("state purge --older-than 90", "state purge", None),
        ("audit verify", "audit verify", None),
    ],
)
def test_what_is_safe_is_understood(group: TyperGroup, text: str, command: str, account: str | None) -> None:
    line = read_command_line(group, text)

    assert (line.command, line.account) == (command, account)
    assert line.argv[0] == command.split()[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sync salesforce --fuul", "No such option: --fuul (Possible options: --full)"),
        ("sync salesforce --limit many", "Invalid value for '--limit'"),
        ("sync salesforce hubspot", "unexpected extra argument(s) (hubspot)"),
        ("sync", "`sync` needs the name of an account, or --all, and not both"),
        ("sync salesforce --all", "`sync` needs the name of an account, or --all, and not both"),
        ("sync salesforce --accept-mass-change", "with --accept-mass-change is not for a schedule"),
        ("sync salesforce --apply plan.json", "with --apply is not for a schedule"),
        ("screen list.csv", "-o FILE says where the result goes"),
        ("setup salesforce", "`setup` is not for a schedule"),
        ("runs undo 1", "`runs undo` is not for a schedule"),
        ("suppress lift 1 --reason asked", "`suppress lift` is not for a schedule"),
        ("state forget 1", "`state forget` is not for a schedule"),
        ("demo", "`demo` is not for a schedule"),
        ("schedule", "`schedule` is not for a schedule"),
        ("snyc --all", "`snyc` is no command for a schedule (did you mean 'sync'?)"),
        ("sync 'salesforce", "its quotes do not match"),
        ("ringfence", "it names no command"),
        ("sync --help", "--help does no work"),
    ],
)
def test_what_is_not_is_refused_with_the_reason(group: TyperGroup, text: str, words: str) -> None:
    with pytest.raises(UsageError) as told:
        read_command_line(group, text)

    assert words in str(told.value)
