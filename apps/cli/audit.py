"""``ringfence audit``."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.errors import UsageError
from ringfence.core.state.audit import Verified

from ..operations.audit import list_audit, verify_audit
from .exit_codes import DONE
from .moments import read_since
from .options import Json, Verbose
from .output import output
from .start import begin_wired

audit = typer.Typer(help="Who did what, in a log that shows tampering.", no_args_is_help=True)

BROKEN = 1
"""Exit code of a log that is not as it was written (docs/contract.md, section 4)."""


@audit.command("list")
def list_(
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only what was done from this day or moment (UTC) on.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="How many of the latest entries.")] = 100,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List who did what, newest first: opt-outs added and lifted, exports, plans applied, keys rotated and the like."""
    wiring = begin_wired(json=json, verbose=verbose)
    if limit < 1:
        raise UsageError(f"--limit {limit} would list no entry.", "Give 1 or more.")
    found = list_audit(wiring, read_since(since), limit)

    output.document({"entries": [entry._asdict() for entry in found]})
    if not found:
        output.say("No entry yet." if since is None else f"No entry since {since}.")
    rows = [
        [str(entry.seq), entry.at[:19].replace("T", " "), entry.author, entry.action, entry.subject, entry.reason]
        for entry in found
    ]
    output.table("", ["no.", "when (UTC)", "who", "what", "of what", "why"], rows, right=(0,))
    return DONE


@audit.command("verify")
def verify(
    head: Annotated[
        str,
        typer.Option("--head", metavar="HASH", help="A head that was printed before: is it still one of this log's?"),
    ] = "",
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Go through the whole log, and say whether every entry is as it was written; exit code 1 where one is not.

    Keep the head that is printed elsewhere: with --head it shows that nobody has put an older state in place of this
    one.
    """
    found = verify_audit(begin_wired(json=json, verbose=verbose), head)
    if found.broken_at is None and found.holds_kept:
        output.document({"entries": found.entries, "head": found.head})
        output.say(f"{found.entries:,} entries, all as they were written")
        output.say(f"head {found.head}", style="dim")
        return DONE

    broken_at = _place_of_break(found)
    output.document({"broken_at": broken_at})
    output.say(f"The audit log is not as it was written, from entry {broken_at:,} on.", style="bold red")
    if found.broken_at is None:
        output.say("What is there fits together, but the head that you kept is none of it: the end is missing.")
    return BROKEN


def _place_of_break(found: Verified) -> int:
    """Return the first entry that is changed or missing; where a kept head is unknown, the one behind the last."""
    return found.broken_at if found.broken_at is not None else found.entries + 1
