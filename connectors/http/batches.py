"""Cutting what is to be sent into pieces that one call takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def in_batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in their order as slices of up to ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
