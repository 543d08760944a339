"""``ringfence suppress``: who must not be contacted, beyond the CRMs' own flags."""

from __future__ import annotations

import typer

from .lazy import group_of

_COMMANDS = {
    "add": "suppress_entries:add",
    "check": "suppress_check:check",
    "list": "suppress_entries:list_",
    "lift": "suppress_lift:lift",
    "import": "suppress_lists:import_",
    "lists": "suppress_lists:lists",
}

suppress = typer.Typer(
    cls=group_of(_COMMANDS),
    help="Who must not be contacted, beyond the CRMs' own flags: people's entries, registries, and the way back.",
    no_args_is_help=True,
)
