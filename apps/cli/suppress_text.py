"""Entries and blocks of the suppression ledger in words."""

from __future__ import annotations

from ringfence.core.model.blocks import Block, BlockSource, Entry
from ringfence.core.model.values import ERASED
from ringfence.core.numbers import mask, mask_numbers

from .phrases import name_day

_SOURCES = {
    BlockSource.CRM: "a flag in {origin}",
    BlockSource.PERSON: "a person's entry",
    BlockSource.REGISTRY: "the list {origin}",
    BlockSource.SIGNAL: "a signal from {origin}",
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
