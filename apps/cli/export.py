"""``ringfence export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.decisions.exports import ExportList
from ringfence.core.model.blocks import Channel

from ..operations.export import ExportOptions, WrittenList, export_list
from .door import open_door
from .exit_codes import DONE
from .options import AllowExpiredLists, CrmName, Force, Json, MappingFile, Verbose
from .output import output
from .phrases import count
from .start import begin_wired
from .termination import termination


def export(
    wanted: Annotated[ExportList, typer.Argument(metavar="LIST", help="callable, invalid, suppressed or quiet.")],
    target: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A new file: CSV, or Excel where it is .xlsx.")
    ],
    crm: CrmName = None,
    channel: Annotated[
        Channel,
        typer.Option("--channel", help="What the numbers are for; `all`: they may be contacted in every way."),
    ] = Channel.VOICE,
    purpose: Annotated[
        str | None,
        typer.Option(
            "--purpose",
            metavar="P",
            help="Leave out of `callable` and `quiet` who has not agreed to be contacted for it.",
        ),
    ] = None,
    pseudonymise: Annotated[
        bool,
        typer.Option(
            "--pseudonymise", help="Pseudonyms in place of numbers: the same for a number in every list and CRM."
        ),
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Without CRM: the sandbox accounts, not the production accounts.")
    ] = False,
    mapping: MappingFile = None,
    force: Force = False,
    allow_expired_lists: AllowExpiredLists = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Write the numbers that may be called, those that are dead, those that must not be contacted, or quiet ones.

    Reads the CRM as it is now and asks the opt-outs of all accounts at that moment, whatever its fields still say. It
    changes nothing in the CRM. Without CRM it reads every configured account. The file holds full numbers: it is
    yours alone to read, and it is there whole or not at all. `quiet` are numbers that may be called and at which nobody
    was reached for long: whom to ask whether they still want to hear from you.

    Try: `ringfence export callable salesforce -o today.csv`.
    """
    wiring = begin_wired(json=json, verbose=verbose)

    options = ExportOptions(
        wanted,
        channel,
        purpose,
        pseudonymise=pseudonymise,
        sandbox=sandbox,
        force=force,
        allow_expired_lists=allow_expired_lists,
    )
    with termination.after_the_batch():
        done = export_list(wiring, crm, target, options, open_door(), mapping=mapping)

    _show(done, wanted, target)
    output.document(_document(done, wanted, target, options))
    return DONE


def _show(done: WrittenList, wanted: ExportList, target: Path) -> None:
    left_out = [[reason, f"{slots:,}"] for reason, slots in done.left_out.most_common()]
    output.table("left out of the list", ["reason", "numbers"], left_out, right=(1,))
    if done.expired_lists:
        output.say(f"do-not-call lists that are expired: {', '.join(done.expired_lists)}", style="yellow")
    rate = done.records / max(done.duration_s, 0.001)
    output.say(
        f"{count(done.rows, 'row')} of {wanted} numbers to {target}, from {count(done.records, 'record')} of "
        f"{', '.join(done.accounts)} in {done.duration_s:.1f} s ({rate:,.0f} records/s)"
    )


def _document(done: WrittenList, wanted: ExportList, target: Path, options: ExportOptions) -> dict[str, Any]:
    return {
        "list": wanted.value,
        "crm": done.accounts[0] if len(done.accounts) == 1 else None,
        "accounts": list(done.accounts),
        "channel": options.channel.value,
        "purpose": options.purpose,
        "records": done.records,
        "rows": done.rows,
        "left_out": dict(done.left_out),
        "expired_lists": list(done.expired_lists),
        "file": str(target),
        "duration_s": round(done.duration_s, 3),
    }
