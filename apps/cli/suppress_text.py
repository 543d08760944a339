"""Entries and blocks of the suppression ledger, as JSON and in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from ringfence.core.model.blocks import Block, BlockSource, Entry
from ringfence.core.model.values import ERASED
from ringfence.core.numbers import mask, mask_numbers

from .hints import name_day

_SOURCES = {
    BlockSource.CRM: "a flag in {origin}",
    BlockSource.PERSON: "a person's entry",
    BlockSource.REGISTRY: "the list {origin}",
    BlockSource.SIGNAL: "a signal from {origin}",
}
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


def describe_block(block: Block) -> str:
    """Return a block in words: its kind, who made it, for which channel, since when and until when."""
    since = f", since {name_day(block.since)}" if block.since else ""
    until = f", until {name_day(block.expires)}" if block.expires else ""
    source = _SOURCES[block.source].format(origin=block.origin or "somewhere")
    return f"{block.kind.value}: {source}, channel {block.channel.value}{since}{until}"


def entry_row(entry: Entry) -> list[str]:
    """Return an entry's line in the list."""
    record = f" ({entry.record})" if entry.record else ""
    return [
        str(entry.id),
        mask(entry.number) if entry.number else ERASED,
        entry.kind.value,
        entry.channel.value,
        f"{entry.since:%Y-%m-%d %H:%M}",
        f"{entry.expires:%Y-%m-%d}" if entry.expires else "",
        entry.author,
        f"{mask_numbers(entry.reason)}{record}",
    ]
