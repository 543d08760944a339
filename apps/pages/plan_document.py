"""A plan as values for programs and for a page: counts, groups with examples, costs; everything that is not a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any

from ringfence.core.model.review import Group, Review

from ..operations.plans import PlanReview
from .rows import Rows

_TOTALS = ("changes", "flags_raised", "phones_rewritten", "slots_invalid", "slots_silenced", "slots_other")


def describe_plan(plan: PlanReview, rows: Rows, file: Path) -> dict[str, Any]:
    """Return what a plan amounts to, as JSON values."""
    head = plan.plan.head
    return {
        "file": str(file),
        "run_id": head.run_id,
        "crm": plan.crm,
        "org": head.org,
        "org_name": head.name,
        "created_at": _moment(head.created_at),
        "good_until": _moment(plan.plan.good_until),
        "applicable": plan.applicable,
        "applied_by": plan.applied_by,
        "command": _command(plan, file),
        "revealed": rows.reveal,
        "costs": dict(plan.plan.costs),
        **describe_review(plan.review, rows),
    }


def _command(plan: PlanReview, file: Path) -> str:
    """Return the command that applies the plan."""
    mapping = " --mapping FILE" if plan.needs_mapping else ""
    return f"ringfence sync {plan.crm} --apply {quote(str(file))}{mapping}"


def describe_review(review: Review, rows: Rows) -> dict[str, Any]:
    """Return counts and groups of changes as JSON values, the largest group first."""
    moves = [
        {"object": name, "from": old, "to": new, **_group(group, rows)}
        for (name, old, new), group in sorted(review.moves.items(), key=lambda item: (item[0][0], -item[1].slots))
    ]
    return {
        "totals": {name: review.total(name) for name in _TOTALS},
        "objects": {name: asdict(counts) for name, counts in review.objects.items()},
        "kinds": {kind.value: count for kind, count in review.kinds.items()},
        "invalid": [{"reason": reason, **_group(group, rows)} for reason, group in _largest(review.invalid)],
        "silenced": [{"why": why, **_group(group, rows)} for why, group in _largest(review.silenced)],
        "moves": moves,
    }


def _largest(groups: Mapping[str, Group]) -> Iterable[tuple[str, Group]]:
    return sorted(groups.items(), key=lambda item: -item[1].slots)


def _group(group: Group, rows: Rows) -> dict[str, Any]:
    return {"slots": group.slots, "examples": [rows.example(each) for each in group.examples]}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
