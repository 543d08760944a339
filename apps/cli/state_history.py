"""``ringfence state purge`` and ``state forget``: what is old, and what is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from ..operations.state import ForgottenAccount, PurgedState, forget_org, purge_state
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose, Yes
from .output import output
from .phrases import name_day
from .start import begin_wired
from .state_rows import list_rows

OLDER_THAN_DAYS = 400

DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be forgotten, and forget nothing.")]


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
