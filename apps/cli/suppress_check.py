"""``ringfence suppress check``: may a number be contacted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel

from ..operations.ledger_json import as_answer
from ..operations.suppression import check_number
from .door import open_door
from .exit_codes import DONE, SUPPRESSED
from .options import AllowExpiredLists, Json, Region, SandboxLedger, Verbose
from .output import output
from .start import begin_wired
from .suppress_text import describe_block

if TYPE_CHECKING:
    from ringfence.connectors.spreadsheet.marking import Marked


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
        # Imported here because it brings the readers of files, and most ask about one number.
        from ..operations.suppression_file import check_file  # noqa: PLC0415

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
