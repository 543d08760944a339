"""``ringfence state``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from ..operations.state import ForgottenAccount, MovedState, PurgedState, forget_org, move_state, purge_state
from .door import open_door
from .exit_codes import DONE
from .hints import name_day
from .options import Json, Verbose, Yes
from .output import output
from .start import begin_wired
from .state_backup import backup, restore
from .state_keys import rotate

state = typer.Typer(help="The state store: what it keeps, and for how long.", no_args_is_help=True)
state.command("rotate-key")(rotate)
state.command("backup")(backup)
state.command("restore")(restore)

OLDER_THAN_DAYS = 400

DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be forgotten, and forget nothing.")]

_ROWS = {
    "runs": "runs",
    "batches": "batches of changes",
    "lookup_answers": "answers of lookups",
    "lookup_failures": "failed lookups",
    "lookup_questions": "open questions of lookups",
    "blocks": "entries of the suppression ledger",
    "evidence": "events that were told",
    "heard_signals": "marks of signals",
    "erased_numbers": "marks put in their place",
    "cursors": "cursors",
    "pending": "records that wait",
    "holdings": "numbers that records hold",
    "opt_out_flags": "numbers under opt-out flags",
    "merged_records": "records that were merged or deleted",
}
"""How the rows of each table are called; of the others a person need not know."""


@state.command("purge")
def purge(
    older_than: Annotated[
        int, typer.Option("--older-than", metavar="DAYS", help="How old history has to be.")
    ] = OLDER_THAN_DAYS,
    dry_run: DryRun = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Forget old history: runs with their changes, and answers of lookups that are stale anyway.

    What keeps an opt-out alive is never forgotten, nor what the next sync needs: of each account the latest complete
    sync stays with all that came after it. A run that is forgotten can be shown and undone no more.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = purge_state(wiring, older_than, open_door(), dry_run=dry_run)

    output.document(
        {
            "purged": dict(done.purged.rows),
            "record": done.record,
            "dry_run": dry_run,
            "before": done.before.isoformat(),
            "kept": done.purged.kept,
            "freed_bytes": done.purged.freed_bytes,
        }
    )
    _show_purge(done, dry_run=dry_run)
    return DONE


@state.command("forget")
def forget(
    org: Annotated[str, typer.Argument(metavar="ORG", help="The account's id in its CRM, or its name.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Forget an account that is gone, with its history and its opt-outs. Nothing is changed in its CRM.

    Opt-outs that came from it cover no number any more, in `lookup` and `screen` as well. Answers that were paid for
    stay: they serve every account.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = forget_org(wiring, org, open_door(yes=yes), dry_run=dry_run)

    output.document(
        {
            "org": done.account.key,
            "name": done.account.name,
            "dry_run": dry_run,
            "forgotten": dict(done.rows),
            "opt_outs": done.loss.covered,
            "opt_outs_only_here": done.loss.only_here,
            "record": done.record,
        }
    )
    _show_forgotten(done, dry_run=dry_run)
    return DONE


@state.command("move")
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


def _show_purge(done: PurgedState, *, dry_run: bool) -> None:
    _say_dry_run(dry_run=dry_run)
    verb = "would be forgotten" if dry_run else "forgotten"
    output.say(f"{verb}, from before {name_day(done.before)} - {list_rows(done.purged.rows)}")
    for account, why in done.purged.kept.items():
        output.say(f"{account} keeps its history: {why}.", style="yellow")
    if done.purged.freed_bytes:
        output.say(f"{done.purged.freed_bytes / 1e6:,.1f} MB given back to the disk")
    output.say("Opt-outs, what waits, and the marks of lost lookups stay.")
    output.say(f"run {done.record}", style="dim")


def _show_forgotten(done: ForgottenAccount, *, dry_run: bool) -> None:
    _say_dry_run(dry_run=dry_run)
    verb = "would be forgotten" if dry_run else "forgotten"
    output.say(f"{done.account.text} {verb} - {list_rows(done.rows)}")
    ceased = "would cover nothing" if dry_run else "cover nothing any more"
    loss = done.loss
    output.say(f"opt-outs of {loss.covered:,} numbers {ceased}; {loss.only_here:,} of them came from here alone")
    output.say(f"run {done.record}", style="dim")


def _say_dry_run(*, dry_run: bool) -> None:
    if dry_run:
        output.say("DRY RUN: nothing was forgotten.", style="bold yellow")


def list_rows(rows: Counter[str]) -> str:
    """Return in words how many rows of which kind there are."""
    return ", ".join(f"{called}: {rows[name]:,}" for name, called in _ROWS.items() if rows[name]) or "nothing"
