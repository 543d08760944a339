"""``ringfence state move``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..operations.state import MovedState, move_state
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired
from .state_rows import list_rows


def move(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="SQLAlchemy URL of an empty database or a new file.")],
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Carry the whole state over to another place, such as from the file to PostgreSQL, or back.

    All of it arrives, verified row by row, or nothing is changed. Afterwards this store refuses every command and says
    where it went. The encryption key stays the same.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = move_state(wiring, to, open_door(), lambda table, rows: output.note(f"{table}: {rows:,} rows, as they were"))

    output.document({"moved": dict(done.rows), "verified": True})
    _show_move(done)
    return DONE


def _show_move(done: MovedState) -> None:
    output.say(f"moved - {list_rows(done.rows)}")
    output.say("Set RINGFENCE_STATE_URL to the new place; this one refuses further runs.")
    if done.key_file is not None:
        output.say(f"Set RINGFENCE_ENCRYPTION_KEY to the content of {done.key_file}, and keep it in a safe place.")
