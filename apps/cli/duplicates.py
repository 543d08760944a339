"""``ringfence duplicates``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..operations.duplicates import find_duplicates
from .door import open_door
from .exit_codes import DONE
from .options import CrmName, Json, MappingFile, Verbose
from .output import output
from .phrases import count
from .start import begin_wired
from .termination import termination


def duplicates(
    crm: CrmName = None,
    least: Annotated[int, typer.Option("--min", min=2, help="How many records at least hold the number.")] = 2,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many numbers to show, the most held first.")] = 100,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Without CRM: the sandbox accounts, not the production accounts.")
    ] = False,
    mapping: MappingFile = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show the numbers that several records hold, masked, with how many hold them, within and across objects and CRMs.

    Reads the CRM as it is now and changes nothing. A switchboard is a number that more records hold than the mapping's
    `spread_limit`: an opt-out on it raises no flags. Without CRM it reads every configured account.

    Try: `ringfence duplicates salesforce --min 3`.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    with termination.after_the_batch():
        found = find_duplicates(wiring, crm, open_door(), mapping=mapping, sandbox=sandbox, least=least, limit=limit)

    numbers = [each._asdict() for each in found.numbers]
    output.document({"numbers": numbers, "shared": found.shared, "records": found.records, "accounts": found.accounts})
    rows = [
        [
            each.number,
            f"{each.holders:,}",
            ", ".join(f"{name} {holders:,}" for name, holders in each.objects.items()),
            "switchboard" if each.switchboard else "",
        ]
        for each in found.numbers
    ]
    output.table("", ["number", "records", "where", ""], rows, right=(1,))
    output.say(
        f"{count(found.shared, 'number')} held by {least} records or more, in {count(found.records, 'record')} of "
        f"{', '.join(found.accounts)}"
    )
    if found.shared > len(found.numbers):
        output.say(f"The {len(found.numbers):,} most held are shown; --limit shows more.", style="dim")
    return DONE
