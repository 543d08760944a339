"""``ringfence runs``: the group of its commands."""

from __future__ import annotations

import typer

from .lazy import group_of

_COMMANDS = {"list": "runs_shown:list_", "show": "runs_shown:show", "undo": "runs_undo:undo"}

runs = typer.Typer(
    cls=group_of(_COMMANDS),
    help="The history: every run, every change of a run, and its reversal.",
    no_args_is_help=True,
)
