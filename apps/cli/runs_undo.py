"""``ringfence runs undo``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..operations.runs import undo_run
from .carrying import carry_out
from .exit_codes import exit_code
from .options import Json, MappingFile, Verbose, Yes
from .output import output
from .start import begin_wired
from .undo_text import say_undo


def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or the beginning or end of it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken back; write nothing.")] = False,
    mapping: MappingFile = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take back what a run wrote, where it still stands.

    Only fields that still hold what the run wrote are set back; what anybody changed since is left and reported.
    Opt-outs are never taken back. The next sync screens the records again.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    summary = carry_out(
        lambda door: undo_run(wiring, run_id, door, mapping=mapping, dry_run=dry_run),
        lambda summary: say_undo(summary.to_json()),
        yes=yes,
    )

    output.document(summary.to_json())
    return exit_code(summary)
