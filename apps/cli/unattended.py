"""Which commands may be started when nobody is there, and whether a command line is one of them.

A command line is read by the real parser, so that a misspelt option is found when the schedule is read, not at night.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import typer
from typer.core import TyperGroup

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import UsageError

from ..operations.schedule import CommandLine

_ONCE = "it is a person's word about one run"
_DRY = "nobody would read what it shows"
_FOREVER = "it does not end by itself"
_ASKS = "it changes what only a person should change, or asks"
_SHOWS = "it only shows something to a person"


@dataclass(frozen=True, slots=True)
class Unattended:
    """What a command that may be started unattended must and must not have: parameter -> why."""

    refused: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)


SAFE: Mapping[str, Unattended] = {
    "sync": Unattended(
        refused={
            "out": _ONCE,
            "apply": _ONCE,
            "accept_mass_change": _ONCE,
            "accept_opt_out_change": _ONCE,
            "allow_expired_lists": _ONCE,
            "retry_lost_lookups": _ONCE,
        }
    ),
    "check": Unattended(),
    "screen": Unattended(
        refused={"preview": _DRY, "dry_run": _DRY}, wanted={"target": "-o FILE says where the result goes"}
    ),
    "export": Unattended(refused={"allow_expired_lists": _ONCE}),
    "history import": Unattended(refused={"dry_run": _DRY}),
    "state purge": Unattended(),
    "audit verify": Unattended(),
}
"""The commands that may be started unattended."""

UNSAFE: Mapping[str, str] = {
    "demo": _SHOWS,
    "sandbox": _FOREVER,
    "sandbox signals": _SHOWS,
    "sandbox workflow": _SHOWS,
    "serve": _FOREVER,
    "openapi": _SHOWS,
    "setup": _ASKS,
    "lookup": _SHOWS,
    "duplicates": _SHOWS,
    "providers": _SHOWS,
    "providers export": _SHOWS,
    "providers import": "each file is brought by a person",
    "explain": _SHOWS,
    "plan show": _SHOWS,
    "suppress add": _ASKS,
    "suppress check": _SHOWS,
    "suppress list": _SHOWS,
    "suppress lift": _ASKS,
    "suppress import": "each file has a day of its own, which a person gives",
    "suppress lists": _SHOWS,
    "runs list": _SHOWS,
    "runs show": _SHOWS,
    "runs undo": _ASKS,
    "review list": _SHOWS,
    "review resolve": _ASKS,
    "review show": _SHOWS,
    "audit list": _SHOWS,
    "tokens add": _ASKS,
    "tokens list": _SHOWS,
    "tokens revoke": _ASKS,
    "state forget": _ASKS,
    "state move": _ASKS,
    "state backup": "each back-up is a new file, which has to be named anew",
    "state restore": _ASKS,
    "state rotate-key": _ASKS,
    "state erase": _ASKS,
    "state export": _SHOWS,
    "jobs list": _SHOWS,
    "jobs show": _SHOWS,
    "jobs retry": _ASKS,
    "jobs cancel": _ASKS,
    "worker": _FOREVER,
    "schedule": _FOREVER,
}
"""The other ones, and why not. A test asks of each command on which side it stands."""


def read_command_line(group: TyperGroup, text: str) -> CommandLine:
    """Return the command line, which must be one that may be started unattended. Raises UsageError: why not."""
    argv = _split(text)
    command = _find_command(argv)
    given = _parse(group, command, argv)
    rules = SAFE[command]

    for name, why in rules.refused.items():
        if name in given:
            raise UsageError(f"`{command}` with --{name.replace('_', '-')} is not for a schedule: {why}.")
    for name, why in rules.wanted.items():
        if name not in given:
            raise UsageError(f"`{command}` lacks something: {why}.")
    if command == "sync" and ("crm" in given) == ("every" in given):
        raise UsageError("`sync` needs the name of an account, or --all, and not both.")

    account = given.get("crm")
    return CommandLine(tuple(argv), command, str(account) if account else None)


def _split(text: str) -> list[str]:
    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"its quotes do not match ({error}).") from None
    if argv[:1] == ["ringfence"]:
        argv = argv[1:]
    if not argv:
        raise UsageError("it names no command.")
    return argv


def _find_command(argv: Sequence[str]) -> str:
    """Return the command that the words begin with. Raises UsageError for one that is not safe, or none."""
    candidates = (" ".join(argv[:length]) for length in (2, 1))
    for candidate in candidates:
        if candidate in SAFE:
            return candidate
        if candidate in UNSAFE:
            raise UsageError(f"`{candidate}` is not for a schedule: {UNSAFE[candidate]}.")
    allowed = ", ".join(f"`{name}`" for name in SAFE)
    raise UsageError(f"`{argv[0]}` is no command for a schedule{did_you_mean(argv[0], SAFE)}; there are {allowed}.")


def _parse(group: TyperGroup, command: str, argv: Sequence[str]) -> Mapping[str, object]:
    """Return the parameters that the words give, by name. Raises UsageError for words that the command refuses."""
    if help_word := next((word for word in argv if word in ("-h", "--help", "--version")), None):
        raise UsageError(f"{help_word} does no work.")
    words, known = command.split(), group.commands
    for word in words[:-1]:
        known = getattr(known[word], "commands", {})
    try:
        context = known[words[-1]].make_context(command, list(argv[len(words) :]))
    except typer.TyperException as error:
        message = getattr(error, "format_message", error.__str__)()
        raise UsageError(f"{message.rstrip('.')}.") from None
    return {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
