"""``ringfence state``: the group of its commands, each in a module of its own."""

from __future__ import annotations

import typer

from .lazy import group_of

_COMMANDS = {
    "rotate-key": "state_keys:rotate",
    "backup": "state_backup:backup",
    "restore": "state_backup:restore",
    "purge": "state_history:purge",
    "forget": "state_history:forget",
    "move": "state_move:move",
    "erase": "state_number:erase",
    "export": "state_number:export",
}

state = typer.Typer(
    cls=group_of(_COMMANDS), help="The state store: what it keeps, and for how long.", no_args_is_help=True
)
