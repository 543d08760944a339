"""What a lift did, or would do, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ringfence.core.model.blocks import Block, BlockSource

from .phrases import count
from .suppress_text import describe_block

if TYPE_CHECKING:
    from ringfence.core.runs.lift_summary import Lifted, LiftSummary

    from ..operations.lifting import LiftedNumber


def describe_lift(lifted: Lifted) -> Iterator[str]:
    """Yield what a lift ends and lowers, what it leaves, and what stays covered."""
    would = "would be " if lifted.dry_run else ""
    for block in lifted.kept:
        yield f"{lifted.number} stays suppressed, and no flag comes down: {_describe_kept(block)}"
    for entry in lifted.entries:
        yield f"entry {entry.id} {would}lifted: {entry.kind.value}, channel {entry.channel.value}, by {entry.author}"
    for summary in lifted.summaries:
        yield from _describe_account(summary, would)
    for number in lifted.covered:
        yield f"{number} was covered by a flag that comes down: it stays opted out, by an entry of its own"
    if not (lifted.kept or lifted.entries or any(summary.flags_lowered for summary in lifted.summaries)):
        yield f"Nothing that could be lifted keeps {lifted.number} silent."


def describe_left(number: str, done: LiftedNumber) -> Iterator[str]:
    """Yield what keeps a number silent after it was lifted, and which accounts were not looked at."""
    for block in done.left:
        if block.source is not BlockSource.REGISTRY:
            yield f"{number} is still suppressed: {describe_block(block)}"
    for name in done.unknown:
        yield f"{name} was not looked at: no sync has been there with this state store."


def as_lift(done: LiftedNumber) -> dict[str, Any]:
    """Return what a lift did as JSON values."""
    lifted = done.lifted
    return {
        "number": lifted.number,
        "dry_run": lifted.dry_run,
        "lifted": len(lifted.entries),
        "flags_lowered": {summary.crm: summary.flags_lowered for summary in lifted.summaries},
        "kept": [_as_kept(block) for block in lifted.kept],
        "run_ids": [summary.run_id for summary in lifted.summaries],
        "covered": lifted.covered,
        "kept_up": {summary.crm: summary.kept_up for summary in lifted.summaries if summary.kept_up},
        "refused": [{"crm": summary.crm, **asdict(row)} for summary in lifted.summaries for row in summary.refused],
        "still_suppressed": bool(done.left),
        "not_looked_at": list(done.unknown),
    }


def _describe_kept(block: Block) -> str:
    if block.source is BlockSource.REGISTRY:
        return describe_block(block)
    return f"consent was withdrawn on {block.origin}; record consent there again"


def _as_kept(block: Block) -> dict[str, Any]:
    if block.source is BlockSource.REGISTRY:
        return {"kind": block.kind.value, "list": block.origin}
    return {"kind": block.kind.value, "list": None, "consent": block.origin}


def _describe_account(summary: LiftSummary, would: str) -> Iterator[str]:
    if summary.kept_up:
        yield (
            f"{summary.crm}: flags that stay up, because another number of the record is opted out: "
            f"{_name(summary.kept_up)}"
        )
    if summary.flags_lowered:
        yield f"{summary.crm}: {count(summary.flags_lowered, 'flag')} {would}lowered, on {_name(summary.lowered)}"
    for row in summary.refused:
        yield f"{summary.crm}: {row.object} {row.id} was refused: {row.message}"
    if summary.still_up and not summary.dry_run:
        yield f"{summary.crm}: {count(summary.still_up, 'record')} with the flag still up"


def _name(records: list[dict[str, str]]) -> str:
    return ", ".join(f"{each['object']} {each['id']}" for each in records)
