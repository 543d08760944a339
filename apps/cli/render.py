"""A run's summary for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.core.model.reasons import format_notes, parse_reason
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.runs.summary import Counts, Summary

from .output import Output

COUNTS = tuple(name for name in Counts.__dataclass_fields__)


def show_summary(output: Output, summary: Summary, *, changes: int = 5) -> None:
    """Print what a run did: counts, statuses, some changed rows, what was refused, what it cost."""
    if summary.dry_run:
        output.say("DRY RUN: nothing was written to the CRM.", style="bold yellow")
    _show_counts(output, summary)
    _show_statuses(output, summary)
    _show_changes(output, summary, changes)
    _show_rewrites(output, summary, changes)
    _show_troubles(output, summary)
    _show_cost(output, summary)


def _show_counts(output: Output, summary: Summary) -> None:
    names = [name for name in COUNTS if name in ("read", "due", "written") or summary.total(name)]
    rows = [[name, *(f"{getattr(counts, column):,}" for column in names)] for name, counts in summary.objects.items()]
    columns = ["object", *(name.replace("_", " ") for name in names)]
    output.table(f"{summary.crm}: {summary.org}", columns, rows, right=tuple(range(1, len(columns))))


def status_rows(statuses: Counter[str]) -> list[list[str]]:
    """Return a row for each status that occurs: status, count, share, callable."""
    total = sum(statuses.values())
    return [
        [status.value, f"{count:,}", f"{count / total:.0%}", "yes" if status in CALLABLE else "no"]
        for status in Status
        if (count := statuses[status])
    ]


def _show_statuses(output: Output, summary: Summary) -> None:
    rows = status_rows(summary.statuses)
    output.table("\nnumbers screened", ["status", "slots", "share", "callable"], rows, right=(1, 2))

    if summary.due_reasons:
        output.say(f"why: {_list_counts(summary.due_reasons.most_common())}")
    if summary.skip_reasons:
        skipped = [(reason.replace("_", " "), count) for reason, count in summary.skip_reasons.most_common()]
        output.say(f"skipped: {_list_counts(skipped)}")

    if summary.repaired:
        output.say(f"{summary.repaired:,} cells gave a number only after a repair, named in their reason.")


def _list_counts(counts: Iterable[tuple[str, int]]) -> str:
    """Return (name, count) pairs as ``1,024 new, 12 aged``."""
    return ", ".join(f"{count:,} {name}" for name, count in counts)


def _show_changes(output: Output, summary: Summary, most: int) -> None:
    rows = []
    for change in summary.changes_shown[:most]:
        name = f"{change['object']} {change['id']}"
        for slot in change["slots"]:
            rows.append([name, slot["slot"], slot["content"], _move(slot["status"]), _why(slot)])
            name = ""
        flags = [field for field, values in change["fields"].items() if values["new"] is True]
        rows += [[name, field, "", "raised", "opted out"] for field in flags]

    title = "\nwould change (first rows, masked)" if summary.dry_run else "\nchanged (first rows, masked)"
    output.table(title, ["record", "field", "content", "status", "why"], rows, whole=3)


def _show_rewrites(output: Output, summary: Summary, most: int) -> None:
    if not (rewritten := summary.total("phones_rewritten")):
        return
    would = "would be " if summary.dry_run else ""
    rows = [[f"{row['object']} {row['id']}", row["field"], row["old"], row["new"]] for row in summary.rewrites_shown]
    output.say(f"\n{rewritten:,} phone fields {would}rewritten to E.164; `runs undo` sets them back")
    output.table("first rows, masked", ["record", "field", "from", "to"], rows[:most], whole=3)


def _why(slot: Mapping[str, Any]) -> str:
    """Return the code of a reason and its notes: the sentence between them is for the CRM.

    Where the reason stays the same, what else is written says why it is.
    """
    if slot["reason"] is None:
        return "checked again" if slot["changed"] == [Companion.LAST_SCREENED] else "another content"

    reason = parse_reason(slot["reason"])
    return f"{reason.code} {format_notes(reason)}".strip() if reason else ""


def _move(status: list[str | None] | None) -> str:
    """Return how a status changed: ``valid → invalid``."""
    if status is None:
        return "same"

    old, new = (value or "empty" for value in status)
    return f"{old} → {new}"


def _show_troubles(output: Output, summary: Summary) -> None:
    refused = [[f"{row.object} {row.id}", row.code, row.message] for row in summary.refused]
    output.table("\nrefused by the CRM; tried again in the next run", ["record", "code", "words of the CRM"], refused)

    conflicts = [[f"{row.object} {row.id}", row.code, row.message] for row in summary.conflicts]
    left = "left, because somebody changed, merged or deleted them meanwhile (first rows)"
    output.table(f"\n{left}", ["record", "code", "what happened"], conflicts)

    for spread in summary.spread:
        output.say(
            f"{spread.number} is opted out on a record and held by {spread.holders:,}: it looks like a switchboard. "
            "The slots say do_not_contact, the flags stay. `--confirm-spread` raises them."
        )

    if summary.stale_flags:
        shown = ", ".join(f"{flag.object} {flag.id}" for flag in summary.stale_flags)
        more = " and others" if summary.stale_flags_total > len(summary.stale_flags) else ""
        output.say(
            f"{summary.stale_flags_total:,} flags that ringfence raised outlive their opt-out, which has ended: {shown}"
            f"{more}. They silence their records until somebody clears them in the CRM."
        )

    if summary.stopped:
        output.say(f"\nStopped early: {summary.stopped}", style="bold red")
    elif not summary.complete:
        output.say("\nNot complete: the limit was reached. The next run goes on from here.", style="yellow")


def _show_cost(output: Output, summary: Summary) -> None:
    _show_calls(output, summary)
    _show_lookups(output, summary)

    if summary.waiting:
        output.say(f"waiting for the next run: {_list_counts(summary.waiting.items())}")
    output.say(f"run {summary.run_id} took {summary.duration_s:.1f} s", style="dim")


def _show_calls(output: Output, summary: Summary) -> None:
    calls = summary.api_calls_by_purpose
    moved = calls.get("read", 0) + calls.get("write", 0)
    others = [
        f"{count} {purpose.replace('_', '-')}" for purpose, count in calls.items() if purpose not in ("read", "write")
    ]

    purpose = "read" if summary.dry_run else "read and write"
    best = f", the fewest possible are {summary.fewest_api_calls:,}" if summary.fewest_api_calls else ""
    output.say(f"\nAPI calls: {moved:,} to {purpose}{best}; besides: {', '.join(others) or 'none'}")
    if summary.write_calls_planned:
        output.say(f"A real run would make {summary.write_calls_planned:,} more at least, to write.")


def _show_lookups(output: Output, summary: Summary) -> None:
    if summary.dry_run and summary.lookups_planned:
        output.say(
            f"lookups a real run would buy: {summary.lookups_planned:,}; from the cache: {summary.lookup_cache_hits:,}"
        )
    elif summary.lookups or summary.lookup_cache_hits:
        output.say(f"lookups bought: {summary.lookups:,}; answered from the cache: {summary.lookup_cache_hits:,}")

    if summary.fresh_without_lookup:
        output.say(f"{summary.fresh_without_lookup:,} fresh slots could be looked up: --rescreen")
    if summary.fresh_not_normalized:
        output.say(f"{summary.fresh_not_normalized:,} phone fields of fresh records could be rewritten: --rescreen")
    if summary.screened_elsewhere:
        output.say(
            f"{summary.screened_elsewhere:,} records were fresh at the first sync with this state store. If another "
            "installation syncs this account, both pay for the same numbers: let one do it, or share the state store."
        )
    if summary.lookups_lost:
        output.say(
            f"{summary.lookups_lost:,} answers were lost on the way, perhaps billed. They are not bought again "
            "before their verdict ages; --retry-lost-lookups does it now."
        )
