"""The keys of a list while it is read: in buckets, in memory up to a bound and beyond it in a nameless file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO, Self

from .listing_pages import BUCKETS, KEY_BYTES

MOST_IN_MEMORY = 64 * 1024 * 1024
"""Bytes that are held before they go into the file: eight million keys."""

_DAY_BYTES = 4
CHANGE_BYTES = KEY_BYTES + _DAY_BYTES


class KeySpool:
    """Records that begin with a key, each ``width`` bytes long. A file that it needs is gone with its process."""

    def __init__(self, width: int = KEY_BYTES, most: int = MOST_IN_MEMORY) -> None:
        self.count = 0
        self._width = width
        self._most = most
        self._held = 0
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        self._file: IO[bytes] | None = None
        self._spilled: list[list[tuple[int, int]]] = [[] for _ in range(BUCKETS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, records: Iterable[bytes]) -> None:
        """Add the records, each of which begins with a key."""
        buckets, before = self._buckets, self.count
        for record in records:
            buckets[record[0]] += record
            self.count += 1

        self._held += (self.count - before) * self._width
        if self._held > self._most:
            self._spill()

    def read(self, bucket: int) -> bytes:
        """Return the records whose key begins with the byte ``bucket``, in the order in which they came."""
        pieces = []
        for offset, length in self._spilled[bucket]:
            assert self._file is not None  # noqa: S101 - what was spilled lies there
            self._file.seek(offset)
            pieces.append(self._file.read(length))
        return b"".join([*pieces, self._buckets[bucket]])

    def close(self) -> None:
        """Let go of everything."""
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="ringfence-list-")  # noqa: SIM115 - open until `close`
        end = self._file.seek(0, 2)
        for bucket, held in enumerate(self._buckets):
            self._file.write(held)
            self._spilled[bucket].append((end, len(held)))
            end += len(held)
            held.clear()
        self._held = 0


def encode_change(key: bytes, day: int, listed: bool) -> bytes:
    """Return the record of a change: a number came onto the list or went, on the day of that ordinal."""
    return key[:KEY_BYTES] + (day * 2 + listed).to_bytes(_DAY_BYTES)


def settle_changes(records: bytes) -> tuple[set[bytes], set[bytes]]:
    """Return the keys that are on the list after these changes, and those that are not.

    Of several changes of a number that of the latest day counts, and of one day the last.
    """
    latest: dict[bytes, int] = {}
    for start in range(0, len(records), CHANGE_BYTES):
        key = records[start : start + KEY_BYTES]
        change = int.from_bytes(records[start + KEY_BYTES : start + CHANGE_BYTES])
        if change >> 1 >= latest.get(key, 0) >> 1:
            latest[key] = change
    listed = {key for key, change in latest.items() if change & 1}
    return listed, latest.keys() - listed
