"""The keys of a list as they lie in the store: sorted, in pages that the first bits of a key name.

A key here is the first 8 bytes of a number's keyed hash. Two numbers share one with a chance of one to 2**64: that a
number is silenced because another one is on a list of ten million is less likely than one to a million millions.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from . import schema
from .sql import insert_missing_raw, select_among

KEY_BYTES = 8
KEY_BITS = 8 * KEY_BYTES
BUCKET_BITS = 8
BUCKETS = 1 << BUCKET_BITS
"""Keys are sorted one bucket after the other, those whose first byte is the same; a page lies within one bucket."""

_KEYS_A_PAGE = 64
_PAGES_AT_ONCE = 4096
_IS_LITTLE = sys.byteorder == "little"


class Part(IntEnum):
    """What the pages of a version hold."""

    CONTENT = 0  # who is on the list
    CHANGE = 1  # who came or went with this version


class KeySet(NamedTuple):
    """The keys of one part of a version; ``bits`` of a key name its page."""

    version_id: int
    part: Part
    bits: int


def bits_for(count: int) -> int:
    """Return how many bits name the pages of so many keys."""
    return max(BUCKET_BITS, (count // _KEYS_A_PAGE).bit_length())


def unpack(packed: bytes | bytearray) -> array[int]:
    """Return the keys that stand in the bytes one behind the other, as numbers in the order of their bytes."""
    keys = array("Q")
    keys.frombytes(packed)
    if _IS_LITTLE:
        keys.byteswap()
    return keys


def pack(keys: Sequence[int]) -> bytes:
    """Return the keys as bytes, one behind the other."""
    packed = array("Q", keys)
    if _IS_LITTLE:
        packed.byteswap()
    return packed.tobytes()


def find_members(connection: Connection, keys: Collection[bytes], of: KeySet) -> set[bytes]:
    """Return those of the keys that are in the set."""
    by_page: defaultdict[int, list[bytes]] = defaultdict(list)
    shift = KEY_BITS - of.bits
    for key in keys:
        by_page[int.from_bytes(key) >> shift].append(key)

    found: set[bytes] = set()
    pages = schema.list_pages
    fixed = {"version_id": of.version_id, "part": int(of.part)}
    for page, packed in select_among(connection, (pages.c.page, pages.c.packed), fixed, pages.c.page, list(by_page)):
        held = bytes(packed)
        found.update(key for key in by_page[page] if _holds(held, key))
    return found


def _holds(packed: bytes, key: bytes) -> bool:
    place = packed.find(key)
    while place % KEY_BYTES and place >= 0:  # across the border of two
        place = packed.find(key, place + 1)
    return place >= 0


def read_bucket(connection: Connection, bucket: int, of: KeySet) -> Iterator[array[int]]:
    """Yield the keys of the set whose first byte is ``bucket``, in their order, page by page."""
    pages, shift = schema.list_pages, of.bits - BUCKET_BITS
    rows = connection.execute(
        select(pages.c.packed)
        .where(
            pages.c.version_id == of.version_id,
            pages.c.part == int(of.part),
            pages.c.page >= bucket << shift,
            pages.c.page < (bucket + 1) << shift,
        )
        .order_by(pages.c.page)
    )
    for row in rows:
        yield unpack(bytes(row[0]))


def write_bucket(connection: Connection, bucket: int, keys: Sequence[int], of: KeySet) -> None:
    """Add the keys, sorted, whose first byte is ``bucket``, to the set."""
    shift = KEY_BITS - of.bits
    first = bucket << (of.bits - BUCKET_BITS)
    rows, start = [], 0
    for page in range(first, first + (1 << (of.bits - BUCKET_BITS))):
        end = bisect_left(keys, (page + 1) << shift, start)
        if end > start:
            rows.append((of.version_id, int(of.part), page, pack(keys[start:end])))
        start = end
    insert_missing_raw(connection, schema.list_pages, ("version_id", "part", "page", "packed"), rows)


def delete_pages(connection: Connection, version_id: int, part: Part) -> bool:
    """Delete some pages of the part of a version; return whether there may be more."""
    pages = schema.list_pages
    mine = (pages.c.version_id == version_id, pages.c.part == int(part))
    query = select(pages.c.page).where(*mine).order_by(pages.c.page).offset(_PAGES_AT_ONCE).limit(1)
    border = connection.scalar(query)
    some = mine if border is None else (*mine, pages.c.page < border)
    connection.execute(delete(pages).where(*some))
    return border is not None
