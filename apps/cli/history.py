"""``ringfence history``: calls and messages that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.suppression.signals import Became

from ..operations.history_import import ACTS, HistoryWish, ImportedHistory, import_history
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .phrases import count
from .start import begin_wired

_SHOWN = 10
_DID = {
    Became.BLOCKED: "numbers blocked, whose people asked for silence",
    Became.LIFTED: "blocks of a STOP ended by a START",
    Became.WRONG_PERSON: "numbers that are somebody else's on one record",
    Became.REVIEW: "for a person to decide: `ringfence review list`",
}

history = typer.Typer(help="What became of calls and messages, from files.", no_args_is_help=True)


@history.callback()
def _history() -> None:
    """Bring what became of calls and messages back to the numbers."""


@history.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The export as it was downloaded: CSV, .xlsx or JSON.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="P",
            help="How it is read: twilio-messages, vonage-dlr, telnyx-messages, dialler, or one of yours in history/.",
        ),
    ],
    region: Annotated[
        str | None, typer.Option("--region", metavar="R", help="Country of national numbers, such as US.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="Zone of moments that name none, such as Europe/Berlin."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="E", help="Encoding of the text; found out when not named.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be taken; keep nothing.")] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take in call outcomes and delivery reports from a file.

    They count as what the service is told at once: who asked for silence is blocked, a wrong number goes to its record
    or to review, and the rest shows which lines live. What is known already, from the service or a file, counts once:
    the same file again changes nothing. Words and codes that the profile does not have are listed and left.

    Try: `ringfence history import calls.csv --profile dialler --timezone Europe/Berlin --dry-run`.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    wish = HistoryWish(file, profile, region, timezone, encoding, dry_run=dry_run)
    done = import_history(wiring, wish, open_door())

    output.document(done.to_json())
    _show(file, done)
    return DONE


def _show(file: Path, done: ImportedHistory) -> None:
    if done.dry_run:
        output.say("DRY RUN: nothing is kept.", style="bold yellow")
    taken = "would be taken" if done.dry_run else "taken"
    output.say(
        f"{file}: {count(done.rows, 'row')}; {done.taken:,} {taken}, {done.known:,} known before, "
        f"{done.unknown:,} of unknown words, {done.unreadable:,} unreadable"
    )
    for act in ACTS:
        if done.became[act]:
            output.say(f"  {done.became[act]:,} {_DID[act]}")
    for row, why in done.unreadable_rows:
        output.say(f"  row {row:,} cannot be read: {why}", style="yellow")
    for word, times in done.unknown_codes.most_common(_SHOWN):
        output.say(f"  left: {word!r} ({count(times, 'row')})", style="yellow")

    if len(done.unknown_codes) > _SHOWN:
        output.say(f"  and {len(done.unknown_codes) - _SHOWN:,} more words; --json lists them", style="yellow")
    if done.unfinished:
        output.say(f"{count(done.unfinished, 'row')} had not ended yet: export and import them again later.")
    if done.unknown > done.unfinished:
        output.say("What they mean stands in a profile of your own: see docs/history.md. Then import the file again.")
