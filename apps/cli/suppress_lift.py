"""``ringfence suppress lift``: the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.model.blocks import Entry
from ringfence.core.runs.ending import describe_end, end_as_json

from ..operations.lifting import lift_number
from ..operations.suppression import lift_of_record
from ..remedies import word
from .door import open_door
from .exit_codes import DONE, REFUSED_ROWS
from .lift_text import as_lift, describe_left, describe_lift
from .options import Json, Number, Reason, Region, Verbose, Yes
from .output import output
from .start import begin_wired
from .termination import termination


def lift(
    number: Number,
    reason: Reason,
    region: Region = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="CRM:OBJECT:ID", help="Take back a wrong_person of this record, and no more."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be lifted; write nothing.")] = False,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Lift the block on a number: the way back from an opt-out that was a mistake, with a reason that is kept.

    Ends every entry that a person or a signal made, and lowers the flag on every record that holds the number, in each
    configured account. What a register lists stays. It shows what it would do, and asks.

    With --record it takes back that the number is somebody else's on that record, and lifts nothing else.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if record is not None:
        done_there = lift_of_record(wiring, number, record, reason, open_door(), region=region, dry_run=dry_run)
        return _tell_of_record(done_there, record, dry_run=dry_run)
    with termination.after_the_batch():
        done = lift_number(wiring, number, reason, open_door(yes=yes), region=region, dry_run=dry_run)

    lifted = done.lifted
    end = describe_end(lifted.error, word) if lifted.error else None
    output.document({**as_lift(done), **end_as_json(end, refused_rows=lifted.refused_rows)})
    if dry_run:
        output.say("DRY RUN: nothing was lifted.", style="bold yellow")
    for line in (*describe_lift(lifted), *describe_left(lifted.number, done)):
        output.say(line)
    if end is not None:
        output.complain(end.message, end.remedy)
        return end.exit_code
    return REFUSED_ROWS if lifted.refused_rows else DONE


def _tell_of_record(ended: list[Entry], record: str, *, dry_run: bool) -> int:
    output.document(
        {"dry_run": dry_run, "lifted": len(ended), "flags_lowered": {}, "kept": [], "run_ids": [], "record": record}
    )
    would = "would be " if dry_run else ""
    for entry in ended:
        output.say(f"entry {entry.id} {would}lifted: {entry.kind.value} on {record}, by {entry.author}")
    if not ended:
        output.say(f"Nobody has said of {record} that this number is somebody else's.")
    return DONE
