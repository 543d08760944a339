"""``ringfence sync``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import RingfenceError, UsageError
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions

from ..operations import apply_plan, sync_crm
from ..remedies import word
from ..wiring import Wiring
from .door import open_door
from .exit_codes import exit_code
from .options import CrmName, Json, MappingFile, Verbose, Yes
from .output import output
from .render import show_summary
from .start import begin_wired


def sync(
    crm: CrmName = None,
    every: Annotated[bool, typer.Option("--all", help="Every configured CRM in turn.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every record, not just changed ones. Fresh verdicts are still skipped.")
    ] = False,
    rescreen: Annotated[
        bool,
        typer.Option(
            "--rescreen",
            help="Make every slot due, after saying what it costs. Fresh answers are not bought again; no --limit.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Write nothing, buy nothing, move no cursor; show what would be."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", help="Handle at most N due records; the rest stays for later."),
    ] = None,
    mapping: MappingFile = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="P", help="Policy preset or file; `standard` is 30 days.")
    ] = None,
    confirm_spread: Annotated[
        bool,
        typer.Option(
            "--confirm-spread", help="Raise flags also on numbers that more records than `spread_limit` hold."
        ),
    ] = False,
    accept_mass_change: Annotated[
        bool, typer.Option("--accept-mass-change", help="Go on where a run would change far more than expected.")
    ] = False,
    retry_lost_lookups: Annotated[
        bool,
        typer.Option("--retry-lost-lookups", help="Ask again where an answer was lost: it may be billed twice."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="With --dry-run: write the plan, to apply it later."),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Apply that plan and nothing else, without rows changed since."),
    ] = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Screen new, changed and aged phone numbers of a CRM and write back what differs.

    Reads what changed since the last run, takes in opt-outs first, skips what was screened recently, and writes only
    the companion fields, the opt-out flag and, where the mapping says so, the phone field itself. Running it twice
    writes nothing the second time. A production org asks before its first writing run.

    Try it first: `ringfence sync salesforce --dry-run`.
    """
    wiring = begin_wired(json=json, verbose=verbose)

    options = SyncOptions(
        full=full,
        rescreen=rescreen,
        dry_run=dry_run,
        limit=limit,
        confirm_spread=confirm_spread,
        accept_mass_change=accept_mass_change,
        retry_lost_lookups=retry_lost_lookups,
        plan_file=out,
    )
    _refuse_contradictions(options, apply, every=every)
    names = _choose(wiring, crm, every=every)

    if every:
        if mapping is not None and len(names) > 1:
            raise UsageError(
                "--mapping is for one CRM, and --all takes several.", "Name the CRM, or set RINGFENCE_MAPPINGS."
            )
        return _sync_all(wiring, names, options, policy, yes=yes)

    door = open_door(yes=yes)
    if apply is not None:
        summary = apply_plan(wiring, names[0], apply, door, mapping=mapping)
    else:
        summary = sync_crm(wiring, names[0], options, door, mapping=mapping, policy=policy)
    _show(summary, options)
    output.document(summary.to_json())
    return exit_code(summary)


def _refuse_contradictions(options: SyncOptions, apply: Path | None, *, every: bool) -> None:
    """Raise UsageError for options that do not go together."""
    limit, out = options.limit, options.plan_file

    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} would handle no record.", "Give 1 or more; --dry-run shows what is due.")
    if out is not None and not options.dry_run:
        raise UsageError("--out writes the plan of a dry run.", "Add --dry-run.")
    if every and (out or apply):
        raise UsageError("A plan is of one CRM, and --all takes several.", "Name the CRM.")
    if apply is not None and options != SyncOptions():
        raise UsageError("--apply writes a plan as it is and takes no other option but --mapping.", "Leave them out.")


def _choose(wiring: Wiring, crm: str | None, *, every: bool) -> list[str]:
    """Return the CRMs to sync. Raises UsageError where none is named, or both one and all are."""
    if crm is not None:
        if every:
            raise UsageError("Both a CRM and --all were given.", "Use one of them.")
        return [crm]

    configured = wiring.configured_crms()
    if not every:
        there = ", ".join(configured) or "none yet (see .env.example)"
        raise UsageError(f"Which CRM? Configured: {there}.", "Name one, or use --all.")
    if not configured:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    return configured


def _sync_all(wiring: Wiring, names: list[str], options: SyncOptions, policy: str | None, *, yes: bool) -> int:
    """Sync the CRMs in turn and return the highest exit code; one that fails does not keep the others from theirs."""
    code, documents = 0, []
    for name in names:
        try:
            summary = sync_crm(wiring, name, options, open_door(yes=yes), policy=policy)
            _show(summary, options)
            code = max(code, exit_code(summary))
            documents.append(summary.to_json())
        except RingfenceError as error:
            message, remedy = word(error)
            code = max(code, error.exit_code)
            documents.append({"crm": name, "complete": False, "error": message, "remedy": remedy})
            output.fail_one(name, error)

    output.document({"runs": documents})
    return code


def _show(summary: Summary, options: SyncOptions) -> None:
    show_summary(output, summary)
    if options.plan_file is not None and not summary.stopped:
        file = options.plan_file
        output.say(f"plan written to {file}; `ringfence sync {summary.crm} --apply {file}` applies it")
