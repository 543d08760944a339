"""``ringfence suppress``: who must not be contacted, beyond the CRMs' own flags."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ringfence.connectors.spreadsheet import Marked
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import BlockKind, Channel, Entry
from ringfence.core.runs.ending import describe_end, end_as_json

from ..operations.ledger_json import as_added, as_answer, as_entry
from ..operations.lifting import lift_number
from ..operations.suppression import Wish, add_entry, check_number, lift_of_record, open_entries
from ..operations.suppression_file import check_file
from ..operations.suppression_lists import list_lists
from ..remedies import word
from .door import open_door
from .exit_codes import DONE, REFUSED_ROWS, SUPPRESSED
from .hints import count, name_day
from .json_stream import write_document
from .lift_text import as_lift, describe_left, describe_lift
from .options import AllowExpiredLists, Json, SandboxLedger, Verbose, Yes
from .output import output
from .start import begin_wired
from .suppress_text import describe_block, entry_row
from .termination import termination

ON_A_PAGE = 50
"""Entries that are shown unless told."""

suppress = typer.Typer(
    help="Who must not be contacted, beyond the CRMs' own flags: people's entries, registries, and the way back.",
    no_args_is_help=True,
)

Number = Annotated[str, typer.Argument(help="The number, in quotes; a national one with --region.")]
Region = Annotated[
    str | None, typer.Option("--region", metavar="R", help="Country of a national number: code or English name.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks later; it is kept.")]


@suppress.callback()
def _suppress() -> None:
    """Keep numbers silent on every record of every connected CRM, and lift that again with a reason."""


@suppress.command("add")
def add(
    number: Number,
    reason: Reason,
    kind: Annotated[BlockKind, typer.Option("--kind", help="What kind of block it is.")] = BlockKind.DNC_INTERNAL,
    channel: Annotated[Channel, typer.Option("--channel", help="The way of contact that it forbids.")] = Channel.ALL,
    region: Region = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="DATE", help="The last day on which it blocks, UTC; else for good."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="CRM:OBJECT:ID", help="With wrong_person: the record that has it wrong."),
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Put a number on the ledger: nobody may contact it from now on, in any connected CRM.

    `lookup`, `screen`, `suppress check` and `export` know of it at once; the next `sync` of each account flags the
    records that hold it. An entry is never changed: `suppress lift` ends it, with a reason of its own.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = add_entry(wiring, Wish(number, reason, kind, channel, region, expires, record), open_door())

    document = as_added(done)
    output.document(document)
    entry = document["entry"]
    said = "suppressed" if done.is_new else "was on the ledger already, for the same reason"
    until = f", until {name_day(done.entry.expires)}" if done.entry.expires else ""
    output.say(f"{entry['number']} {said}: {entry['kind']}, channel {entry['channel']}{until} (entry {entry['id']})")
    return DONE


@suppress.command("check")
def check(
    number: Annotated[
        str,
        typer.Argument(metavar="NUMBER|FILE", help="The number, in quotes; with -o a CSV or Excel file."),
    ],
    target: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Where the file goes with two columns more.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="C", help="The phone column of the file; detected when not named.")
    ] = None,
    channel: Annotated[
        Channel | None, typer.Option("--channel", help="The way of contact; without it any block counts.")
    ] = None,
    region: Region = None,
    sandbox: SandboxLedger = False,
    allow_expired_lists: AllowExpiredLists = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Ask whether a number may be contacted: exit code 0 when it may, 1 when it is suppressed.

    A file gets the columns `rf_suppressed` (yes, no, unreadable) and `rf_suppressed_by`; 1 when any row is suppressed.

    Any other exit code is an error, and means: do not call; 4 where a do-not-call list of its country is expired. Flags
    of CRM accounts, people's entries, registries and signals are asked.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if target is not None:
        return _check_file(
            check_file(
                wiring,
                Path(number),
                target,
                open_door(),
                column=column,
                channel=channel,
                region=region,
                sandbox=sandbox,
                allow_expired_lists=allow_expired_lists,
            ),
            target,
        )
    if column is not None or (not number.lstrip("+").isdigit() and Path(number).is_file()):
        raise UsageError("A file was given, and not where the result goes.", "Name that with -o.")

    answer = check_number(
        wiring, number, channel=channel, region=region, sandbox=sandbox, allow_expired_lists=allow_expired_lists
    )

    output.document(as_answer(answer))
    asked = f" for {channel.value}" if channel else ""
    output.say(f"{answer.number} {'is suppressed' if answer.suppressed else 'may be contacted'}{asked}")
    for block, deadline in zip(answer.blocks, answer.deadlines, strict=True):
        output.say(f"  {describe_block(block)}{f', to be honoured by {deadline}' if deadline else ''}")
    if answer.expired_lists:
        output.say(f"Expired, and asked all the same: {', '.join(answer.expired_lists)}", style="yellow")
    return SUPPRESSED if answer.suppressed else DONE


def _check_file(done: Marked, target: Path) -> int:
    output.document({"rows": done.rows, "suppressed": done.suppressed, "unreadable": done.unreadable})
    output.say(
        f"{done.rows:,} rows to {target}: {done.suppressed:,} suppressed, {done.unreadable:,} that cannot be read"
    )
    return SUPPRESSED if done.suppressed else DONE


@suppress.command("list")
def list_(
    kind: Annotated[BlockKind | None, typer.Option("--kind", help="Entries of one kind only.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="How many; 50 unless told, with --json all.")
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List what people and signals have put on the ledger and still counts, the newest first."""
    wiring = begin_wired(json=json, verbose=verbose)
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} would list no entry.", "Give 1 or more.")

    listings = sum(each.numbers for each in list_lists(wiring))
    with open_entries(wiring, kind, limit if limit or json else ON_A_PAGE + 1) as entries:
        if json:
            write_document({"listings": listings}, {"entries": map(as_entry, entries)})
            return DONE
        most = limit or ON_A_PAGE
        rows = [entry_row(entry) for entry in islice(entries, most)]
        more = next(entries, None) is not None

    columns = ["id", "number", "kind", "channel", "since (UTC)", "until", "by", "reason"]
    output.table("", columns, rows, right=(0,), whole=6)
    if not rows:
        output.say("Nothing is on the ledger.")
    if listings:
        output.say(
            f"On lists of registers besides: {count(listings, 'listing')}. `ringfence suppress lists`", style="dim"
        )
    if more:
        output.say(f"These are the newest {most:,}. More: --limit N", style="dim")
    return DONE


@suppress.command("lift")
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
