"""An undo for a person: first what people have changed since and will be left, then what goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .output import output

Shown = Mapping[str, Any]
EXAMPLES = 5


def say_undo(summary: Shown) -> None:
    """Print what an undo did, or would do, from its summary as JSON values."""
    if summary["dry_run"]:
        output.say("DRY RUN: nothing was written to the CRM.", style="bold yellow")
    say_undone(summary)
    _say_refused(summary)
    if summary["stopped"]:
        output.say(f"\nStopped early: {summary['stopped']}", style="bold red")
    output.say(f"\n{summary['api_calls']:,} API calls; run {summary['run_id']} took {summary['duration_s']:.1f} s")
    if summary["dry_run"] and summary["fields"]:
        output.say(f"To take it back: `ringfence runs undo {summary['undone']}`")


def say_undone(summary: Shown) -> None:
    """Print which fields were left and why, and which went back."""
    if not summary:
        return
    dry_run, kept = summary["dry_run"], dict(summary["kept"])
    _say_changed_since(summary, kept)
    for why, count in kept.items():
        output.say(f"{count:,} fields {'will be' if dry_run else 'were'} left: {why}")
    if summary["conflicts"]:
        output.say(f"{summary['conflicts']:,} records changed while they were being set back, and were left.")

    would = "would go" if dry_run else "went"
    output.say(f"\n{summary['fields']:,} fields of {summary['records']:,} records {would} back", style="bold")
    objects = summary.get("objects", {})
    rows = [
        [name, *(f"{counts[key]:,}" for key in ("records", "verdicts", "phones"))] for name, counts in objects.items()
    ]
    output.table("", ["object", "records", "slots' verdicts", "phone fields"], rows, right=(1, 2, 3))
    _say_examples(summary)


def _say_changed_since(summary: Shown, kept: dict[str, int]) -> None:
    """Print the fields that hold something else by now, and take them off the reasons that are still to be told."""
    rows = summary.get("changed_since", [])
    if not rows:
        return
    total = kept.pop(rows[0]["why"], len(rows))
    shown = [[f"{row['object']} {row['id']}", row["field"], _cell(row["wrote"]), _cell(row["holds"])] for row in rows]
    left = "will be left" if summary["dry_run"] else "were left"
    output.say(f"\nChanged since the run; these {total:,} fields {left} as they are:", style="bold")
    output.table("", ["record", "field", "the run wrote", "it holds now"], shown, whole=2)
    if total > len(rows):
        output.say(f"and {total - len(rows):,} more", style="dim")
    output.say()


def _say_examples(summary: Shown) -> None:
    shown = summary.get("changes_shown", [])[:EXAMPLES]
    if shown:
        output.say("\nfirst records (numbers masked)", style="bold")
    for change in shown:
        say_sketch(change)


def say_sketch(change: Shown) -> None:
    """Print what a change of a summary does, in a few words: its flag, its phone fields and the statuses of slots."""
    fields, slots = change["fields"], change.get("slots", [])
    output.say(f"  {change['object']} {change['id']}")
    for field, values in fields.items():
        if isinstance(values["new"], bool):
            output.item(f"{field} goes up")
        elif field in {slot["slot"] for slot in slots}:
            output.item(f"{field} {_cell(values['old'])} → {_cell(values['new'])}")
    for slot in slots:
        old, new = slot["status"] or (None, None)
        moved = f"{_cell(old)} → {_cell(new)}" if slot["status"] else "the status stays"
        reason = f" ({slot['reason']})" if slot["reason"] else ""
        output.item(f"{slot['slot']}: {moved}{reason}")


def _say_refused(summary: Shown) -> None:
    refused = [[f"{row['object']} {row['id']}", row["code"], row["message"]] for row in summary["refused"]]
    output.table("\nrefused by the CRM", ["record", "code", "words of the CRM"], refused)


def _cell(value: Any) -> str:
    return "empty" if value is None or value == "" else str(value)
