"""``ringfence suppress add`` and ``suppress list``: what people put on the ledger."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import BlockKind, Channel

from ..operations.ledger_json import as_added, as_entry
from ..operations.listings import list_lists
from ..operations.suppression import Wish, add_entry, open_entries
from .door import open_door
from .exit_codes import DONE
from .json_stream import write_document
from .options import Json, Number, Reason, Region, Verbose
from .output import output
from .phrases import count, name_day
from .start import begin_wired
from .suppress_text import entry_row

ON_A_PAGE = 50
"""Entries that are shown unless told."""


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
