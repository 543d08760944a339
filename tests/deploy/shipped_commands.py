"""Whether a command that a file of deploy/ starts exists, with its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer.main
from typer.core import TyperGroup

from ringfence.apps.cli import app as command_line


def refuse_unknown(words: Sequence[str]) -> None:
    """Raise what the command line itself would say to these words; nothing is carried out."""
    command: Any = typer.main.get_command(command_line.app)
    rest = list(words)
    while isinstance(command, TyperGroup):
        word = rest.pop(0)
        assert word in command.commands, f"there is no command {word}"
        command = command.commands[word]
    command.make_context(command.name, rest)
