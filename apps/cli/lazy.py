"""Groups whose commands are imported when somebody asks for them: who looks a number up loads no back-ups.

A group's table says where each of its commands is, in the order of the help. A word that no command has is refused, and
the nearest words named, without loading any; only the help of the group itself loads all of them.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Final

import typer
import typer.main
from typer.core import TyperGroup

MARKUP: Final = "markdown"
"""How the help of every command is written."""

Sources = Mapping[str, str]
"""Command -> the module beside this one and the name in it, as in ``runs:runs``: a function, or a Typer for a group."""


class LazyCommands(UserDict[str, Any]):
    """The commands of a group by their words; each is imported and built when it is first asked for."""

    def __getitem__(self, word: str) -> Any:
        """Return the command. Raises KeyError for a word that none has."""
        found = self.data[word]
        if isinstance(found, str):
            found = self.data[word] = _build(word, found)
        return found


class LazyGroup(TyperGroup):
    """A group over a table of its commands."""

    sources: ClassVar[Sources] = {}

    def __init__(self, **attributes: Any) -> None:
        """Take the commands that are there already, and know where to find the others."""
        super().__init__(**attributes)
        self.commands = LazyCommands({**self.commands, **self.sources})


def group_of(sources: Sources) -> type[LazyGroup]:
    """Return the class of a group with these commands, for ``typer.Typer(cls=...)``."""
    return type("LazyGroup", (LazyGroup,), {"sources": sources})


def _build(word: str, source: str) -> Any:
    module, _, name = source.partition(":")
    found = getattr(import_module(f".{module}", __package__), name)
    holder = typer.Typer(rich_markup_mode=MARKUP)

    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=word)
        return typer.main.get_group(holder).commands[word]
    holder.command(word)(found)
    return typer.main.get_group(holder).commands[word]
