"""A run's summary for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.core.model.reasons import format_notes, parse_reason
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.runs.summary import Summary

from .forecast_text import describe_saved, say_forecast
from .hints import find_hints
from .output import Output
from .phrases import count

COUNTS = {
    "read": ("records read", ""),
    "skipped_recent": ("records skipped: nothing due", ""),
    "due": ("records due", ""),
    "written": ("records written", "records that would be written"),
    "unchanged": ("records that said it all already", ""),
    "conflicts": ("records in conflict", ""),
    "failed": ("records that the CRM refused", ""),
    "deferred": ("records deferred to a later run", "records that would be deferred"),
    "screened": ("slots screened", ""),
    "slots_silenced": ("slots silenced for an opt-out", "slots that would be silenced"),
    "flags_raised": ("opt-out flags raised", "opt-out flags that would go up"),
    "phones_rewritten": ("phone fields rewritten", "phone fields that would be rewritten"),
}
"""How each count of an object is called: in a run that writes and, where that differs, in a dry run."""

_ALWAYS = ("read", "due", "written")


def show_summary(output: Output, summary: Summary, *, changes: int = 5) -> None:
    """Print what a run did: counts, statuses, some changed rows, what was refused, what it cost."""
    if summary.dry_run:
        output.say("DRY RUN: nothing was written to the CRM.", style="bold yellow")
    _show_counts(output, summary)
    _show_statuses(output, summary)
    _show_changes(output, summary, changes)
    _show_rewrites(output, summary, changes)
    _show_troubles(output, summary)
    for hint in find_hints(summary):
        output.say(f"\n{hint}")
    _show_cost(output, summary)


def _show_counts(output: Output, summary: Summary) -> None:
    names = [name for name in COUNTS if name in _ALWAYS or summary.total(name)]
    objects = summary.objects.values()
    rows = [[_call(name, summary), *(f"{getattr(counts, name):,}" for counts in objects)] for name in names]
    columns = ["", *summary.objects]
    output.table(f"{summary.crm}: {summary.org}", columns, rows, right=tuple(range(1, len(columns))), whole=0)


def _call(name: str, summary: Summary) -> str:
    done, would_be = COUNTS[name]
    return would_be if would_be and summary.dry_run else done


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
    output.table("\nslots by status", ["status", "slots", "share", "callable"], rows, right=(1, 2))

    if summary.due_reasons:
        output.say(f"why slots were due: {_list_counts(summary.due_reasons.most_common())}")
    if summary.skip_reasons:
        output.say(f"why records were skipped: {_list_counts(summary.skip_reasons.most_common())}")
    if rows:
        output.say("`ringfence explain WORD` tells what a word means.", style="dim")

    if summary.expired_lists:
        output.say(f"do-not-call lists that are expired: {', '.join(summary.expired_lists)}", style="yellow")
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

    if summary.overdue_requests:
        late = ", ".join(f"{each.number} (by {each.deadline})" for each in summary.overdue_requests)
        more = " and others" if summary.overdue_requests_total > len(summary.overdue_requests) else ""
        output.say(
            f"{count(summary.overdue_requests_total, 'request')} not to be contacted came here after the last day that "
            f"the law gives: {late}{more}. Find out what kept them, and who was contacted since.",
            style="yellow",
        )

    if summary.silent_asked:
        output.say(
            f"{count(summary.silent_asked, 'number')} of which nothing was heard for long wait for a decision: "
            "`ringfence review list --reason silent`."
        )

    if summary.stopped:
        output.say(f"\nStopped early: {summary.stopped}", style="bold red")
    elif not summary.complete:
        output.say("\nNot complete: the limit was reached. The next run goes on from here.", style="yellow")


def _show_cost(output: Output, summary: Summary) -> None:
    _show_calls(output, summary)
    _show_lookups(output, summary)

    if summary.waiting:
        output.say(f"records that wait for the next run: {_list_counts(summary.waiting.items())}")
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
    if summary.dry_run and summary.planned.lookups:
        say_forecast(output, summary.planned, summary.currency, summary.lookup_cache_hits, summary.lookup_duplicates)
    elif summary.lookups or summary.lookup_cache_hits:
        paid = sum(tally.cost for tally in summary.providers.values())
        spent = f", for {paid:,.2f} {summary.currency}" if paid else ""
        output.say(
            f"lookups bought: {summary.lookups:,}{spent}; answered from the cache: {summary.lookup_cache_hits:,}"
        )
    if not summary.dry_run and (saved := describe_saved(summary.spending)):
        output.say(saved)

    stopped = {name: tally.stopped for name, tally in summary.providers.items() if tally.stopped}
    for name, why in stopped.items():
        others = [other for other in summary.providers if other not in stopped]
        went_on = f"; {' and '.join(others)} went on" if others else ""
        output.say(f"{name} was left out on the way ({why.replace('_', ' ')}){went_on}.", style="yellow")
    for name, values in summary.unrecognised.items():
        shown = ", ".join(f"{value} ({times:,})" for value, times in list(values.items())[:5])
        output.say(f"{name} said what nobody knows, read as unknown: {shown}.", style="yellow")
    for name, numbers in summary.lookups_waiting.items():
        output.say(
            f"{count(numbers, 'number')} wait for an answer of {name}; a later run takes it up. Where files carry "
            f"them: ringfence providers export {name} -o FILE."
        )

    if summary.fresh_without_lookup:
        output.say(f"{summary.fresh_without_lookup:,} slots are fresh and were never looked up: --rescreen does it.")
    if summary.fresh_not_normalized:
        output.say(f"{summary.fresh_not_normalized:,} phone fields of fresh records could be rewritten: --rescreen.")
    if summary.screened_elsewhere:
        output.say(
            f"{summary.screened_elsewhere:,} records were fresh at the first sync with this state store. If another "
            "installation syncs this account, both pay for the same numbers: let one do it, or share the state store."
        )
    if summary.lookups_lost:
        output.say(
            f"{summary.lookups_lost:,} answers were lost on the way, perhaps billed. They are not bought again "
            "before their verdict ages; --rescreen --retry-lost-lookups does it now."
        )
