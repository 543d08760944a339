"""``ringfence runs``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ringfence.core.state.journal import JournalRow, Run, find_run, list_runs, read_changes
from ringfence.core.summary import mask_change
from ringfence.core.values import Outcome

from ..bootstrap import wire
from .options import Json
from .output import output

runs = typer.Typer(help="The history: every run, and every change of a run.", no_args_is_help=True)


@runs.command("list")
def list_(
    most: Annotated[int, typer.Option("--limit", min=1, help="How many of the latest runs.")] = 20, json: Json = False
) -> int:
    """List the latest runs, newest first."""
    output.json = json
    store = wire().open_state()
    try:
        found = list_runs(store, most)
    finally:
        store.close()
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
    json: Json = False,
) -> int:
    """Show what a run did, and every change with its outcome. Numbers are masked unless --reveal."""
    output.json = json
    store = wire().open_state()
    try:
        run = find_run(store, run_id)
        output.say(f"run {run.id} of {run.crm}: {run.outcome}{' (dry run)' if run.dry_run else ''}", style="bold")
        output.say(f"started {run.started_at:%Y-%m-%d %H:%M:%S} UTC")
        if run.error:
            output.say(f"ended with: {run.error}", style="red")
        changes = []
        for row in read_changes(store, run.id):
            if refused and (row.result is None or row.result.outcome is not Outcome.REFUSED):
                continue
            change = _change(row, reveal=reveal)
            if output.json:
                changes.append(change)
            else:
                _say_change(change)
    finally:
        store.close()
    output.document({**_document(run), "changes": changes})
    return 0


def _change(row: JournalRow, *, reveal: bool) -> dict[str, Any]:
    result = row.result
    return {
        **mask_change(row.change, None, reveal=reveal),
        "outcome": result.outcome.value if result else "no answer was recorded",
        "code": result.code if result else "",
        "message": result.message if result else "",
    }


def _say_change(change: dict[str, Any]) -> None:
    words = f": {change['code']} {change['message']}" if change["code"] or change["message"] else ""
    output.say(f"{change['object']} {change['id']}  {change['outcome']}{words}")
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
