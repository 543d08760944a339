"""``ringfence sync``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.errors import Terminated, UsageError
from ringfence.core.runs.ending import describe_end, end_as_json
from ringfence.core.runs.run import NOTHING_TAKEN_IN, TakenIn
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions

from ..operations.door import Door
from ..operations.every_account import opt_outs_of_all
from ..operations.runs import apply_plan, sync_crm
from ..remedies import word
from ..wiring import Wiring
from .carrying import carry_out
from .door import open_door
from .exit_codes import INTERRUPTED, TERMINATED, exit_code, worst
from .options import AllowExpiredLists, CrmName, Json, MappingFile, Verbose, Yes
from .output import output
from .render import show_summary
from .start import begin_wired
from .termination import termination


def sync(
    crm: CrmName = None,
    every: Annotated[bool, typer.Option("--all", help="Every configured CRM, or account, in turn.")] = False,
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
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            metavar="N",
            help="Divide the reading of each object into N parts, which workers share; else they are done in turn.",
        ),
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
    accept_opt_out_change: Annotated[
        bool,
        typer.Option(
            "--accept-opt-out-change", help="Go on though the mapping names no opt-out, or another, where flags are up."
        ),
    ] = False,
    allow_expired_lists: AllowExpiredLists = False,
    retry_lost_lookups: Annotated[
        bool,
        typer.Option("--retry-lost-lookups", help="Ask again where an answer was lost: it may be billed twice."),
    ] = False,
    confirm_cost: Annotated[
        bool,
        typer.Option(
            "--confirm-cost", help="Buy lookups without a cap (RINGFENCE_LOOKUP__MAX_*). --yes does not do it."
        ),
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
        accept_opt_out_change=accept_opt_out_change,
        allow_expired_lists=allow_expired_lists,
        retry_lost_lookups=retry_lost_lookups,
        confirm_cost=confirm_cost,
        plan_file=out,
        partitions=partitions,
    )
    _refuse_contradictions(options, apply, every=every)
    names = _choose(wiring, crm, every=every)

    if every:
        if mapping is not None and len(names) > 1:
            raise UsageError(
                "--mapping is for one CRM, and --all takes several.", "Name the CRM, or set RINGFENCE_MAPPINGS."
            )
        return _sync_all(wiring, names, options, policy, yes=yes)

    def act(door: Door) -> Summary:
        if apply is not None:
            return apply_plan(wiring, names[0], apply, door, mapping=mapping)
        return sync_crm(wiring, names[0], options, door, mapping=mapping, policy=policy)

    summary = carry_out(act, lambda summary: _show(summary, options), yes=yes)
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
    if options.partitions is not None and apply is None:
        options.check()
    if apply is not None and options != SyncOptions():
        raise UsageError("--apply writes a plan as it is and takes no other option but --mapping.", "Leave them out.")


def _choose(wiring: Wiring, crm: str | None, *, every: bool) -> list[str]:
    """Return the CRMs to sync. Raises UsageError where none is named, or both one and all are."""
    if crm is not None:
        if every:
            raise UsageError("Both a CRM and --all were given.", "Use one of them.")
        return [crm]

    configured = wiring.accounts()
    if not every:
        there = ", ".join(configured) or "none yet (see .env.example)"
        raise UsageError(f"Which CRM? Configured: {there}.", "Name one, or use --all.")
    if not configured:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    return configured


def _sync_all(wiring: Wiring, names: list[str], options: SyncOptions, policy: str | None, *, yes: bool) -> int:
    """Sync the CRMs in turn and return the worst exit code; one that fails does not keep the others from theirs.

    Their opt-outs are taken in first, so that the order of the CRMs makes no difference.
    """
    documents: list[dict[str, Any]] = []
    with _opt_outs_first(wiring, names, options, yes=yes) as taken_in:
        for name in names:
            documents.append(_sync_one(wiring, name, options, policy, taken_in.get(name, NOTHING_TAKEN_IN), yes=yes))
            if termination.asked or documents[-1]["exit_code"] in (INTERRUPTED, TERMINATED):
                break

    output.document({"runs": documents})
    return worst(*(document["exit_code"] for document in documents))


@contextmanager
def _opt_outs_first(
    wiring: Wiring, names: list[str], options: SyncOptions, *, yes: bool
) -> Iterator[Mapping[str, TakenIn]]:
    if len(names) < 2:
        yield {}
        return
    with ExitStack() as held:
        with termination.after_the_batch():
            taken_in = held.enter_context(opt_outs_of_all(wiring, names, options, open_door(yes=yes)))
        yield taken_in


def _sync_one(
    wiring: Wiring, name: str, options: SyncOptions, policy: str | None, taken_in: TakenIn, *, yes: bool
) -> dict[str, Any]:
    """Sync one of several CRMs and return its document, also where the run ended before it was one."""
    try:
        return carry_out(
            lambda door: sync_crm(wiring, name, options, door, policy=policy, taken_in=taken_in),
            lambda summary: _show(summary, options),
            yes=yes,
        ).to_json()
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001 - the others are to have their turn
        end = describe_end(error, word)
        output.complain(f"{name}: {end.text}")
        return {"crm": name, "complete": False, **end_as_json(end, refused_rows=0)}


def _show(summary: Summary, options: SyncOptions) -> None:
    show_summary(output, summary)
    if options.plan_file is not None and summary.end is None:
        file = options.plan_file
        output.say(f"plan written to {file}; `ringfence sync {summary.crm} --apply {file}` applies it")
