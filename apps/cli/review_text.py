"""Items of the review queue, as JSON values and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ringfence.core.model.review_items import ReviewItem

from ..operations.reviews import ShownItem, WholeItem
from .output import output

_SHOWN = 3
"""Records of an item in the table; JSON has more."""


def as_item(shown: ShownItem) -> dict[str, Any]:
    """Return an item that waits as JSON values (docs/contract.md, section 4)."""
    item = shown.item
    return {
        "id": item.id,
        "number": shown.number,
        "reason": item.reason.value,
        "since": _stamp(item.since),
        "deadline": shown.deadline.isoformat() if shown.deadline else None,
        "evidence": item.evidence,
        "channel": item.channel.value,
        "records": [{"crm": each.account, "object": each.object, "id": each.id} for each in shown.records],
        **({"agreed_by": item.agreed_by} if item.agreed_by else {}),
    }


def as_row(shown: ShownItem) -> list[str]:
    """Return an item that waits as the cells of a table."""
    item = shown.item
    return [
        str(item.id),
        shown.number,
        item.reason.value,
        _minute(item.since),
        str(shown.deadline or ""),
        _list_records(shown, _SHOWN),
        f"{item.evidence}; {_describe_agreement(item)}" if item.agreed_by else item.evidence,
    ]


def as_whole_item(whole: WholeItem) -> dict[str, Any]:
    """Return an item with its history and what decisions would do as JSON values."""
    item = whole.shown.item
    resolved = None
    if item.resolution is not None and item.resolved_at is not None:
        at = _stamp(item.resolved_at)
        resolved = {"as": item.resolution.value, "by": item.author, "at": at, "note": item.note}
    return {
        **as_item(whole.shown),
        "resolved": resolved,
        "history": [{**each._asdict(), "at": _stamp(each.at)} for each in whole.told],
        "decisions": {resolution.value: does for resolution, does in whole.decisions.items()},
    }


def show_item(whole: WholeItem) -> None:
    """Print an item for a person."""
    shown, item = whole.shown, whole.shown.item
    output.say(f"Item {item.id}: {shown.number}, {item.reason.value}, since {_minute(item.since)} UTC")
    output.say(item.evidence)
    if shown.deadline:
        output.say(f"to be decided by {shown.deadline}")
    output.say(f"records: {_list_records(shown, len(shown.records)) or 'none that is known'}")

    if item.agreed_by and item.resolution is None:
        output.say(_describe_agreement(item))
    rows = [[_minute(each.at), each.kind, each.source, each.said] for each in whole.told]
    output.table("", ["when (UTC)", "what", "who", "said"], rows)
    if item.resolution is not None and item.resolved_at is not None:
        by = f"Resolved as {item.resolution.value} by {item.author} at {_minute(item.resolved_at)} UTC"
        output.say(f"{by}: {item.note}" if item.note else by)
    else:
        output.table("", ["--as", "does"], [[each.value, does] for each, does in whole.decisions.items()])


def _describe_agreement(item: ReviewItem) -> str:
    return f"{item.agreed_by} agrees to lift it: needs a second person"


def _list_records(shown: ShownItem, most: int) -> str:
    first, more = shown.records[:most], len(shown.records) - most
    return ", ".join([*map(str, first), *([f"and {more:,} more"] if more > 0 else [])])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
