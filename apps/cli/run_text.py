"""A run as one page for a person: what happened, what the CRM said to it, what it cost, and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.screening.prices import describe_cost
from ringfence.core.state.run_history import Run

from ..operations.history import RunReview
from ..pages.plan_document import describe_review
from ..pages.rows import NO_ANSWER, Rows
from .forecast_text import describe_saved
from .output import output
from .phrases import count
from .plan_text import say_counts, say_groups
from .render import COUNTS, status_rows
from .run_words import describe_kind, describe_outcome, describe_time, name_kind, refused, totals
from .undo_text import say_sketch, say_undone

EXAMPLES = 5
"""Changes that the page shows; `--changes` shows the others."""

Shown = Mapping[str, Any]


def say_run(found: RunReview, rows: Rows) -> None:
    """Print the page of a run."""
    run, summary = found.run, found.run.summary or {}
    say_title(found.run)

    if name_kind(run) == "undo":
        say_undone(summary)
    elif name_kind(run) == "lift":
        _say_lift(summary)
    elif run.summary is not None:
        _say_counts(run, summary)
        output.table(
            "\nslots by status",
            ["status", "slots", "share", "callable"],
            status_rows(Counter(summary.get("statuses", {}))),
            right=(1, 2),
        )
    elif run.org_id is not None:
        _say_journal(found, rows)

    _say_examples(found, rows)
    _say_troubles(run, summary)
    _say_cost(run, summary)
    _say_ways_on(found)


def _say_lift(summary: Shown) -> None:
    lowered, verb = int(summary.get("flags_lowered", 0)), "to lower" if summary.get("dry_run") else "lowered"
    output.say(f"{count(lowered, 'flag')} {verb}")
    for name, title in (("lowered", "on"), ("kept_up", "left up for another number's sake, on")):
        if records := summary.get(name):
            output.say(f"  {title} " + ", ".join(f"{each['object']} {each['id']}" for each in records))


def say_title(run: Run) -> None:
    """Print which run it is, and how it ended."""
    output.say(f"run {run.id}: {describe_kind(run)}", style="bold")
    output.say(describe_time(run))
    good = run.outcome in (RunOutcome.DONE, RunOutcome.RUNNING)
    output.say(describe_outcome(run), style=None if good else "red")


def say_changes(changes: Iterable[Shown]) -> None:
    """Print changes with their fields and what became of them."""
    for change in changes:
        reply = f": {change['code']} {change['message']}".rstrip() if change["code"] or change["message"] else ""
        output.say(f"{change['object']} {change['id']}  {change['outcome']}{reply}")
        for field, values in change["fields"].items():
            output.say(f"    {field}: {values['old']!r} -> {values['new']!r}")


def _say_counts(run: Run, summary: Shown) -> None:
    objects: Mapping[str, Mapping[str, int]] = summary.get("objects", {})
    names = [name for name in COUNTS if name in ("read", "due", "written") or totals(run, name)]
    rows = [[_call(name, run), *(f"{counts.get(name, 0):,}" for counts in objects.values())] for name in names]
    columns = ["", *objects]
    if objects:
        output.table("", columns, rows, right=tuple(range(1, len(columns))), whole=0)


def _call(name: str, run: Run) -> str:
    done, would_be = COUNTS[name]
    return would_be if would_be and run.dry_run else done


def _say_journal(found: RunReview, rows: Rows) -> None:
    """Print what a run without a summary has written so far, by its journal."""
    review = found.review()
    output.say("\nIt left no summary; these changes were written before it ended:")
    document = describe_review(review, rows)
    say_counts(document["objects"])
    if review.changes:
        say_groups(document)
    else:
        output.say("none")


def _say_examples(found: RunReview, rows: Rows) -> None:
    if found.run.dry_run:
        _say_planned(found.run)
        return
    first = list(islice(found.rows(), EXAMPLES))
    if first:
        output.say(f"\nfirst changes{'' if rows.reveal else ' (numbers masked)'}", style="bold")
    for row in first:
        output.say(f"  {row.change.object} {row.change.id}  {row.result.outcome.value if row.result else NO_ANSWER}")
        for told in rows.sketch(row.change):
            output.item(told)


def _say_planned(run: Run) -> None:
    """Print the first changes that a dry run would have made; its summary keeps them, for nothing was written."""
    shown = (run.summary or {}).get("changes_shown", [])[:EXAMPLES]
    if shown:
        output.say("\nfirst changes that would be made (numbers masked)", style="bold")
    for change in shown:
        say_sketch(change)


def _say_troubles(run: Run, summary: Shown) -> None:
    for name, title, total, option in (
        ("refused", "refused by the CRM; tried again in the next run", refused(run), "--refused"),
        ("conflicts", "left: changed, merged or deleted meanwhile", totals(run, "conflicts"), "--conflicts"),
    ):
        listed = summary.get(name)
        if not isinstance(listed, list) or not listed:
            continue
        rows = [[f"{row['object']} {row['id']}", row["code"], row["message"]] for row in listed]
        output.table(f"\n{title}: {total:,}", ["record", "code", "what was said"], rows)
        if total > len(rows):
            output.say(f"and {total - len(rows):,} more: `ringfence runs show {run.id} {option}`", style="dim")


def _say_cost(run: Run, summary: Shown) -> None:
    if not summary:
        return
    providers: Mapping[str, Mapping[str, Any]] = summary.get("providers", {})
    money = sum(float(each.get("cost") or 0) for each in providers.values())
    bought = f", for {money:,.2f} {summary.get('currency', 'USD')}" if money else ""
    parts = [f"{summary.get('lookups', 0):,} lookups bought{bought}"]
    if cached := summary.get("lookup_cache_hits"):
        parts.append(f"{cached:,} answered from what was known")
    if planned := summary.get("lookups_planned"):
        cost = describe_cost(summary.get("cost_planned", 0.0), summary.get("currency", "USD"))
        parts.append(f"{planned:,} more to buy, for {cost} at most")
    if saved := describe_saved(summary.get("spending", {})):
        parts.append(saved)
    if run.org_id is not None:
        parts.append(f"{summary.get('api_calls', 0):,} API calls")
    output.say(f"\ncost: {'; '.join(parts)}")


def _say_ways_on(found: RunReview) -> None:
    run = found.run
    if run.org_id is None:
        return
    if found.undone_by:
        output.say(f"It was taken back by run {found.undone_by}.", style="yellow")
    elif run.dry_run:
        output.say("It wrote nothing: there is nothing to take back.")
    elif run.outcome is not RunOutcome.RUNNING:
        output.say(f"To see what could be taken back: `ringfence runs undo {run.id} --dry-run`")
    if not run.dry_run:
        output.say(f"All changes: `ringfence runs show {run.id} --changes`, or `--csv FILE`", style="dim")
