"""What a part of a run has counted, as JSON values, and what they add to the summary of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ..screening.gateway import Tally
from .counts import Counts
from .overdue import OverdueRequest
from .summary import SHOWN, RefusedRow, Summary

_COUNTERS = ("statuses", "reason_codes", "due_reasons", "skip_reasons")
_SUMS = ("repaired", "fresh_not_normalized", "reconciled", "overdue_requests_total")
_TALLY_SUMS = ("lookups", "cache_hits", "would_buy", "lost", "failed", "duplicates", "saved", "saved_unpriced")
_TALLY_MONEY = ("cost_planned", "saved_cost")
_PROVIDER_SUMS = ("asked", "lost", "cost")


def counts_to_json(summary: Summary, tally: Tally, calls: Mapping[str, int], seq: int) -> dict[str, Any]:
    """Return all that a part has counted; ``seq`` is the latest batch of the journal that is counted in it."""
    return {
        "objects": {name: asdict(counts) for name, counts in summary.objects.items()},
        **{name: dict(getattr(summary, name)) for name in _COUNTERS},
        **{name: getattr(summary, name) for name in _SUMS},
        "oldest_fresh": summary.oldest_fresh.isoformat() if summary.oldest_fresh else None,
        "refused": [asdict(row) for row in summary.refused],
        "conflicts": [asdict(row) for row in summary.conflicts],
        "changes_shown": summary.changes_shown,
        "rewrites_shown": summary.rewrites_shown,
        "overdue_requests": [asdict(row) for row in summary.overdue_requests],
        "outcomes": summary.tally.to_json(),
        "screening": asdict(tally),
        "calls": dict(calls),
        "seq": seq,
    }


def add_counts(summary: Summary, tally: Tally, counts: Mapping[str, Any]) -> None:
    """Add what a part has counted to the summary of the run and to what its screening cost.

    A record that both have met counts once, as the graver of its outcomes.
    """
    for name, theirs in counts["objects"].items():
        ours = summary.counts(name)
        for each in fields(Counts):
            setattr(ours, each.name, getattr(ours, each.name) + theirs[each.name])
    for name in _COUNTERS:
        getattr(summary, name).update(Counter(counts[name]))
    for name in _SUMS:
        setattr(summary, name, getattr(summary, name) + counts[name])

    for name, outcomes in counts["outcomes"].items():
        for record_id, outcome in outcomes.items():
            summary.meet_again((name, record_id), outcome)
    _add_shown(summary, counts)
    _add_tally(tally, counts["screening"])


def _add_shown(summary: Summary, counts: Mapping[str, Any]) -> None:
    """Show the first of what the part has shown, and know the oldest of the verdicts that are still fresh."""
    oldest = counts["oldest_fresh"] and datetime.fromisoformat(counts["oldest_fresh"])
    if oldest and (summary.oldest_fresh is None or oldest < summary.oldest_fresh):
        summary.oldest_fresh = oldest

    room = {name: SHOWN - len(getattr(summary, name)) for name in ("refused", "conflicts")}
    for name, left in room.items():
        getattr(summary, name).extend(RefusedRow(**row) for row in counts[name][:left])
    late = [OverdueRequest(**row) for row in counts["overdue_requests"]]
    summary.overdue_requests.extend(late[: SHOWN - len(summary.overdue_requests)])
    for name in ("changes_shown", "rewrites_shown"):
        shown = getattr(summary, name)
        shown.extend(counts[name][: SHOWN - len(shown)])


def _add_tally(tally: Tally, counts: Mapping[str, Any]) -> None:
    for name in _TALLY_SUMS:
        setattr(tally, name, getattr(tally, name) + counts.get(name, 0))
    for name in _TALLY_MONEY:
        setattr(tally, name, round(getattr(tally, name) + counts.get(name, 0.0), 6))
    tally.planned.update(Counter(counts.get("planned", {})))

    for name, numbers in counts["waiting"].items():
        tally.waiting[name] = tally.waiting.get(name, 0) + numbers
    for name, values in counts["unrecognised"].items():
        known = tally.unrecognised.setdefault(name, {})
        for value, times in values.items():
            known[value] = known.get(value, 0) + times
    for name, theirs in counts["providers"].items():
        ours = tally.of(name)
        for each in _PROVIDER_SUMS:
            setattr(ours, each, round(getattr(ours, each) + theirs[each], 6))
        ours.stopped = ours.stopped or theirs["stopped"]
