"""What an import changes: the list that counts, bucket by bucket, beside what came in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from .key_spool import KeySpool, settle_changes
from .listing_pages import BUCKETS, read_bucket, unpack
from .listings import ListInfo
from .store import Store


@dataclass(frozen=True, slots=True)
class ListChange:
    """What an import changes: who came, who went, and how many are on the list afterwards."""

    added: int = 0
    removed: int = 0
    numbers: int = 0


@dataclass(slots=True)
class Incoming:
    """What was read of a file: a full list's keys, or with ``delta`` its changes; ``codes`` as in ListInfo."""

    spool: KeySpool
    codes: set[str]
    delta: bool = False


def merge_bucket(
    connection: Connection, bucket: int, incoming: Incoming, base: ListInfo | None
) -> tuple[set[int], set[int]]:
    """Return the keys of the bucket that are on the list with what came in, and those that are on it now."""
    before: set[int] = set()
    if base is not None:
        for page in read_bucket(connection, bucket, base.content):
            before.update(page)

    records = incoming.spool.read(bucket)
    if not incoming.delta:
        return set(unpack(records)), before
    listed, delisted = settle_changes(records)
    return (before | set(map(int.from_bytes, listed))) - set(map(int.from_bytes, delisted)), before


def count_on(counts: ListChange, keys: set[int], before: set[int]) -> ListChange:
    """Return the counts with those of one more bucket."""
    stayed = len(keys & before)
    return ListChange(
        counts.added + len(keys) - stayed, counts.removed + len(before) - stayed, counts.numbers + len(keys)
    )


def compare(store: Store, incoming: Incoming, base: ListInfo | None) -> ListChange:
    """Return what taking this in would change, and change nothing."""
    counts = ListChange()
    for bucket in range(BUCKETS):
        with store.transaction() as connection:
            counts = count_on(counts, *merge_bucket(connection, bucket, incoming, base))
    return counts
