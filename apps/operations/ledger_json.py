"""Entries and blocks of the suppression ledger as JSON, for every door."""

from __future__ import annotations

from datetime import date
from typing import Any

from ringfence.core.model.blocks import Block, BlockSource, Entry, blocked_channels
from ringfence.core.model.values import ERASED
from ringfence.core.numbers import mask, mask_numbers

from .suppression import Added, Answer

_ORIGINS = {BlockSource.CRM: "crm", BlockSource.REGISTRY: "list"}
"""Under which key a document names where a block comes from."""


def as_entry(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON values, its number masked."""
    return {
        "id": entry.id,
        "number": mask(entry.number) if entry.number else ERASED,
        "kind": entry.kind.value,
        "channel": entry.channel.value,
        "source": entry.source.value,
        "reason": mask_numbers(entry.reason),
        "author": entry.author,
        "since": entry.since.isoformat(),
        "expires": entry.expires.isoformat() if entry.expires else None,
        **({"record": str(entry.record)} if entry.record else {}),
    }


def as_block(block: Block, deadline: date | None = None) -> dict[str, Any]:
    """Return a block as JSON values; ``deadline`` is the last day for honouring it, where the law gives one."""
    origin = {_ORIGINS[block.source]: block.origin} if block.source in _ORIGINS else {}
    return {
        "kind": block.kind.value,
        "channel": block.channel.value,
        "source": block.source.value,
        "since": block.since.isoformat() if block.since else None,
        "expires": block.expires.isoformat() if block.expires else None,
        **({"deadline": deadline.isoformat()} if deadline else {}),
        **origin,
    }


def as_added(done: Added) -> dict[str, Any]:
    """Return what became of a person's entry as JSON values."""
    return {"entry": as_entry(done.entry), "new": done.is_new}


def as_answer(answer: Answer) -> dict[str, Any]:
    """Return what keeps a number silent as JSON values."""
    return {
        "number": answer.number,
        "suppressed": answer.suppressed,
        "channels": [each.value for each in blocked_channels(answer.blocks)],
        "entries": list(map(as_block, answer.blocks, answer.deadlines)),
        "expired_lists": answer.expired_lists,
    }
