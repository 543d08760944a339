"""``ringfence runs``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Annotated, Any

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.masking import mask_change
from ringfence.core.model.values import Outcome
from ringfence.core.runs.undo import UndoSummary
from ringfence.core.state.journal import JournalRow, read_changes
from ringfence.core.state.run_history import Run, find_run, list_runs

from ..operations import undo_run
from .conclusion import carry_out
from .exit_codes import exit_code
from .options import Json, MappingFile, Verbose, Yes
from .output import output
from .start import begin_wired

runs = typer.Typer(help="The history: every run, every change of a run, and its reversal.", no_args_is_help=True)


@runs.command("list")
def list_(
    most: Annotated[int, typer.Option("--limit", metavar="N", help="How many of the latest runs.")] = 20,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List the latest runs, newest first."""
    wiring = begin_wired(json=json, verbose=verbose)
    if most < 1:
        raise UsageError(f"--limit {most} would list no run.", "Give 1 or more.")
    with closing(wiring.open_state()) as store:
        found = list_runs(store, most)

    output.document({"runs": [_document(run) for run in found]})
    if not found:
        output.say("No run yet.")
    output.table(
        "",
        ["run (UTC)", "crm", "outcome", "read", "written", "failed", "took"],
        [_row(run) for run in found],
        right=(3, 4, 5, 6),
    )
    return 0


@runs.command("show")
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or the beginning or end of it.")],
    reveal: Annotated[bool, typer.Option("--reveal", help="Show full numbers.")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Only the rows that the CRM did not take.")] = False,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Only the rows that somebody changed, merged or deleted meanwhile.")
    ] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show what a run did, and every change with its outcome. Numbers are masked unless --reveal."""
    wiring = begin_wired(json=json, verbose=verbose)
    with closing(wiring.open_state()) as store:
        run = find_run(store, run_id)
        _say_run(run)

        wanted = _wanted_outcomes(refused=refused, conflicts=conflicts)
        rows = (
            row for row in read_changes(store, run.id) if not wanted or (row.result and row.result.outcome in wanted)
        )
        shown: Iterable[dict[str, Any]] = (_change(row, reveal=reveal) for row in rows)
        if conflicts:
            shown = _with_conflicts_before_writing(shown, run)

        changes = []
        for change in shown:
            if output.json:
                changes.append(change)
            else:
                _say_change(change)

    output.document({**_document(run), "changes": changes})
    return 0


def _wanted_outcomes(*, refused: bool, conflicts: bool) -> set[Outcome]:
    """Return the outcomes to show; none stands for all."""
    chosen = {Outcome.REFUSED: refused, Outcome.CONFLICT: conflicts}
    return {outcome for outcome, wanted in chosen.items() if wanted}


def _with_conflicts_before_writing(changes: Iterable[dict[str, Any]], run: Run) -> Iterator[dict[str, Any]]:
    """Yield the changes, and after them records that were gone before there was a change; the summary names some."""
    seen = set()
    for change in changes:
        seen.add((change["object"], change["id"]))
        yield change

    for row in (run.summary or {}).get("conflicts", []):
        if (row["object"], row["id"]) not in seen:
            yield {**row, "fields": {}, "outcome": Outcome.CONFLICT.value}


@runs.command("undo")
def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or the beginning or end of it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken back; write nothing.")] = False,
    mapping: MappingFile = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take back what a run wrote, where it still stands.

    Only fields that still hold what the run wrote are set back; what anybody changed since is left and reported.
    Opt-outs are never taken back. The next sync screens the records again.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    summary = carry_out(
        lambda door: undo_run(wiring, run_id, door, mapping=mapping, dry_run=dry_run), _say_undo, yes=yes
    )

    output.document(summary.to_json())
    return exit_code(summary)


def _say_run(run: Run) -> None:
    output.say(f"run {run.id} of {run.crm}: {run.outcome}{' (dry run)' if run.dry_run else ''}", style="bold")
    output.say(f"started {run.started_at:%Y-%m-%d %H:%M:%S} UTC")
    if run.error:
        output.say(f"ended with: {run.error}", style="red")


def _say_undo(summary: UndoSummary) -> None:
    if summary.dry_run:
        output.say("DRY RUN: nothing was written to the CRM.", style="bold yellow")
    would = "would be " if summary.dry_run else ""
    output.say(f"{summary.fields:,} fields of {summary.records:,} records {would}set back (run {summary.undone})")

    rows = [[f"{row['object']} {row['id']}", row["field"], row["why"]] for row in summary.kept_rows]
    for why, count in summary.kept.items():
        output.say(f"{count:,} fields left as they are: {why}")
    output.table("\nleft as they are (first rows)", ["record", "field", "why"], rows)

    refused = [[f"{row.object} {row.id}", row.code, row.message] for row in summary.refused]
    output.table("\nrefused by the CRM", ["record", "code", "words of the CRM"], refused)

    if summary.conflicts:
        output.say(f"{summary.conflicts:,} records changed meanwhile and were left.")
    if summary.stopped:
        output.say(f"\nStopped early: {summary.stopped}", style="bold red")
    output.say(f"run {summary.run_id} took {summary.duration_s:.1f} s", style="dim")


def _change(row: JournalRow, *, reveal: bool) -> dict[str, Any]:
    result = row.result
    return {
        **mask_change(row.change, None, reveal=reveal),
        "outcome": result.outcome.value if result else "no answer was recorded",
        "code": result.code if result else "",
        "message": result.message if result else "",
    }


def _say_change(change: dict[str, Any]) -> None:
    reply = f": {change['code']} {change['message']}" if change["code"] or change["message"] else ""
    output.say(f"{change['object']} {change['id']}  {change['outcome']}{reply}")
    for field, values in change["fields"].items():
        output.say(f"    {field}: {values['old']!r} -> {values['new']!r}")


def _document(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "crm": run.crm,
        "dry_run": run.dry_run,
        "outcome": run.outcome.value,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "error": run.error,
        "summary": run.summary,
    }


def _row(run: Run) -> list[str]:
    objects = (run.summary or {}).get("objects", {}).values()
    totals = [f"{sum(counts[name] for counts in objects):,}" for name in ("read", "written", "failed")]
    outcome = f"{run.outcome}{' (dry run)' if run.dry_run else ''}"
    took = f"{(run.ended_at - run.started_at).total_seconds():.1f} s" if run.ended_at else ""
    return [run.id, run.crm, outcome, *totals, took]
