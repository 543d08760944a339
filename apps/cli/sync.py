"""``ringfence sync``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.errors import RingfenceError, UsageError
from ringfence.core.ports.crm import Org
from ringfence.core.runs.apply_plan import apply_plan
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.cursors import confirm_writes, writes_confirmed
from ringfence.core.state.store import Store

from ..remedies import explain, word
from ..wiring import Connection, Wiring, require_ready, wire
from .options import CrmName, Json, MappingFile, Yes
from .output import output
from .progress import RunProgress
from .render import show_summary

REFUSED_ROWS = 1
STOPPED = 4


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
    json: Json = False,
) -> int:
    """Screen new, changed and aged phone numbers of a CRM and write back what differs.

    Reads what changed since the last run, takes in opt-outs first, skips what was screened recently, and writes only
    the companion fields, the opt-out flag and, where the mapping says so, the phone field itself. Running it twice
    writes nothing the second time. A production org asks before its first writing run.

    Try it first: `ringfence sync salesforce --dry-run`.
    """
    output.json = json
    wiring = wire()
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
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} would handle no record.", "Give 1 or more; --dry-run shows what is due.")
    if out is not None and not dry_run:
        raise UsageError("--out writes the plan of a dry run.", "Add --dry-run.")
    if every and (out or apply):
        raise UsageError("A plan is of one CRM, and --all takes several.", "Name the CRM.")
    if apply is not None and options != SyncOptions():
        raise UsageError("--apply writes a plan as it is and takes no other option but --mapping.", "Leave them out.")
    names = _choose(wiring, crm, every=every)
    if not every:
        summary = _sync_one(wiring, names[0], options, mapping, policy, yes=yes, plan=apply)
        output.document(summary.to_json())
        return exit_code(summary)
    if mapping is not None and len(names) > 1:
        raise UsageError(
            "--mapping is for one CRM, and --all takes several.", "Name the CRM, or set RINGFENCE_MAPPINGS."
        )
    return _sync_all(wiring, names, options, policy, yes=yes)


def exit_code(summary: Summary) -> int:
    """Return the contract's exit code for a finished run."""
    if summary.stopped:
        return STOPPED
    return REFUSED_ROWS if summary.total("failed") else 0


def run_job(
    wiring: Wiring, connection: Connection, org: Org, store: Store, options: SyncOptions, policy: str | None
) -> Summary:
    """Run one sync with its progress on standard error."""
    lookups = wiring.lookups()
    word = "dry run of" if options.dry_run else "sync"
    try:
        with RunProgress(output.err, f"{word} {connection.crm.name}") as progress:
            job = SyncJob(
                crm=connection.crm,
                org=org,
                shapes=connection.shapes,
                store=store,
                policy=wiring.policy(policy),
                clock=wiring.clock,
                lookups=lookups,
                max_lookups=wiring.settings.lookup.max_lookups,
                progress=progress,
                explain=explain,
            )
            return run_sync(job, options)
    finally:
        for lookup in lookups:
            lookup.close()


def _choose(wiring: Wiring, crm: str | None, *, every: bool) -> list[str]:
    if crm is not None:
        if every:
            raise UsageError("Both a CRM and --all were given.", "Use one of them.")
        return [crm]
    configured = wiring.configured_crms()
    there = ", ".join(configured) or "none yet (see .env.example)"
    if every:
        if not configured:
            raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
        return configured
    raise UsageError(f"Which CRM? Configured: {there}.", "Name one, or use --all.")


def _sync_all(wiring: Wiring, names: list[str], options: SyncOptions, policy: str | None, *, yes: bool) -> int:
    """Take the CRMs in turn; one that fails does not keep the others from their run."""
    code, documents = 0, []
    for name in names:
        try:
            summary = _sync_one(wiring, name, options, None, policy, yes=yes)
            code = max(code, exit_code(summary))
            documents.append(summary.to_json())
        except RingfenceError as error:
            code = max(code, error.exit_code)
            message, remedy = word(error)
            documents.append({"crm": name, "complete": False, "error": message, "remedy": remedy})
            output.fail_one(name, error)
    output.document({"runs": documents})
    return code


def _sync_one(
    wiring: Wiring,
    name: str,
    options: SyncOptions,
    mapping: Path | None,
    policy: str | None,
    *,
    yes: bool,
    plan: Path | None = None,
) -> Summary:
    connection = wiring.connect(name, mapping)
    wiring.policy(policy)
    store = wiring.open_state()
    try:
        org = connection.crm.identify()
        require_ready(connection.crm.check(), name)
        if not options.dry_run:
            _confirm_production(wiring, store, org, yes=yes)
        if options.rescreen and not options.dry_run:
            _confirm_cost(wiring, connection, org, store, options, policy, yes=yes)
        if plan is not None:
            summary = _apply_one(wiring, connection, org, store, plan)
        else:
            summary = run_job(wiring, connection, org, store, options, policy)
        show_summary(output, summary)
        if options.plan_file is not None and not summary.stopped:
            output.say(
                f"plan written to {options.plan_file}; `ringfence sync {name} --apply {options.plan_file}` applies it"
            )
        return summary
    finally:
        connection.crm.close()
        store.close()


def _apply_one(wiring: Wiring, connection: Connection, org: Org, store: Store, plan: Path) -> Summary:
    with RunProgress(output.err, f"apply {plan.name}") as progress:
        job = SyncJob(
            connection.crm,
            org,
            connection.shapes,
            store,
            wiring.policy(),
            wiring.clock,
            progress=progress,
            explain=explain,
        )
        return apply_plan(job, plan)


def _confirm_production(wiring: Wiring, store: Store, org: Org, *, yes: bool) -> None:
    if not org.production or writes_confirmed(store, org):
        return
    if not yes:
        ask(
            f"{org.name} ({org.id}) is a production org, and ringfence has not written to it yet. Go on?",
            f"{org.name} is a production org.",
        )
    confirm_writes(store, org, wiring.clock.now())


def _confirm_cost(
    wiring: Wiring,
    connection: Connection,
    org: Org,
    store: Store,
    options: SyncOptions,
    policy: str | None,
    *,
    yes: bool,
) -> None:
    """Say what making every slot due costs, from a dry run, and ask."""
    values: dict[str, Any] = {**{f: getattr(options, f) for f in SyncOptions.__dataclass_fields__}, "dry_run": True}
    cost = run_job(wiring, connection, org, store, SyncOptions(**values), policy)
    words = (
        f"Rescreening covers {cost.total('due'):,} records of {org.name}: "
        f"{cost.lookups_planned:,} lookups to buy, {cost.lookup_cache_hits:,} answers still fresh, "
        f"{cost.total('written'):,} records to write."
    )
    output.note(words, style=None)
    if cost.lookups_planned and not yes:
        ask("Go on?", "Rescreening would buy lookups.")


def ask(question: str, otherwise: str) -> None:
    """Ask a person on the terminal. Raises UsageError where there is none, or when the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(otherwise, "Pass --yes to go on without a question.")
    if not typer.confirm(question, err=True):
        raise UsageError("Nothing was done.", "")
