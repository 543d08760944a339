"""Who is on which register: the lists of a suppression ledger that count, and what has changed in them.

Numbers appear as the first bytes of their keyed hashes and in no other form.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from ..model.blocks import Block, BlockKind, BlockSource, Channel
from . import schema
from .keyring import Keyring
from .listing_pages import KEY_BYTES, KeySet, Part, find_members

CODE_DIGITS = 2
"""How many digits behind the plus of its numbers a list remembers: it is asked about no others."""


class VersionState(StrEnum):
    """What an import of a list has come to."""

    LOADING = "loading"  # counts for nothing yet; what a killed import leaves
    CURRENT = "current"
    FORMER = "former"

    __hash__ = str.__hash__


_versions = schema.list_versions
_COUNTS = (_versions.c.ledger == bindparam("ledger"), _versions.c.state == VersionState.CURRENT.value)
# Made once: every question to the ledger asks this, and making a statement takes longer than carrying it out.
_CURRENT = select(_versions).where(*_COUNTS).order_by(_versions.c.name)
_CURRENT_IDS = select(_versions.c.id).where(*_COUNTS).order_by(_versions.c.name)


@dataclass(frozen=True, slots=True)
class ListInfo:
    """The version of a list that counts. ``as_of`` and ``expires`` are UTC moments; None: it never expires.

    ``codes`` is how its numbers begin behind the plus.
    """

    version_id: int
    name: str
    jurisdiction: str
    channel: Channel
    as_of: datetime
    expires: datetime | None
    numbers: int
    sha256: str
    bits: int
    codes: frozenset[str]
    author: str
    imported_at: datetime

    @property
    def content(self) -> KeySet:
        """Return where its keys are."""
        return KeySet(self.version_id, Part.CONTENT, self.bits)

    @property
    def block(self) -> Block:
        """Return what a listing in it blocks. It goes on blocking when the list has expired."""
        return Block(BlockKind.DNC_REGISTRY, self.channel, BlockSource.REGISTRY, self.name, self.as_of, self.expires)

    def is_expired(self, now: datetime) -> bool:
        """Return whether the list is too old to be relied on at the moment ``now`` (UTC)."""
        return self.expires is not None and now > self.expires


class Listings:
    """The lists of one ledger. Every method works in the caller's transaction; moments are aware, in UTC."""

    def __init__(self, keyring: Keyring, ledger: str) -> None:
        self._keyring = keyring
        self._ledger = ledger

    def find(self, connection: Connection, numbers: Collection[str]) -> dict[str, list[Block]]:
        """Return E.164 number -> its listings, also those in expired lists, for those numbers that have any."""
        if not numbers or not (lists := self.current(connection)):
            return {}
        by_key = {self._keyring.number_key(number): number for number in numbers}
        codes = {key: number[1 : 1 + CODE_DIGITS] for key, number in by_key.items()}
        return {by_key[key]: blocks for key, blocks in self._find(connection, by_key, codes, lists).items()}

    def find_by_key(self, connection: Connection, number_keys: Collection[bytes]) -> dict[bytes, list[Block]]:
        """Return the same for numbers given by their keys, which tell nothing of their country."""
        return self._find(connection, number_keys, {}, self.current(connection)) if number_keys else {}

    def _find(
        self,
        connection: Connection,
        number_keys: Collection[bytes],
        codes: Mapping[bytes, str],
        lists: Sequence[ListInfo],
    ) -> dict[bytes, list[Block]]:
        found: dict[bytes, list[Block]] = {}
        asked: Sequence[ListInfo] = ()
        # An import that comes in between takes away what was just going to be asked.
        while lists != asked:
            asked, found = lists, {}
            for each in lists:
                within = {key[:KEY_BYTES]: key for key in number_keys if key not in codes or codes[key] in each.codes}
                block = each.block
                for short in find_members(connection, within, each.content):
                    found.setdefault(within[short], []).append(block)
            lists = lists if self._is_so(connection, lists) else self.current(connection)
        return found

    def _is_so(self, connection: Connection, lists: Sequence[ListInfo]) -> bool:
        """Return whether these are the lists that count."""
        if not lists:
            return True
        counting = connection.scalars(_CURRENT_IDS, {"ledger": self._ledger}).all()
        return counting == [each.version_id for each in lists]

    def current(self, connection: Connection) -> list[ListInfo]:
        """Return the lists that count, by name."""
        return [_read(row) for row in connection.execute(_CURRENT, {"ledger": self._ledger})]

    def expired(self, connection: Connection, countries: Iterable[str] | None, now: datetime) -> list[ListInfo]:
        """Return the lists of these countries (ISO 3166) that are expired at the moment ``now``; None: of any."""
        asked = None if countries is None else set(countries)
        return [
            each
            for each in self.current(connection)
            if each.is_expired(now) and (asked is None or each.jurisdiction in asked)
        ]

    def position(self, connection: Connection) -> int:
        """Return how far the changes of the ledger's lists have come: 0 before the first import."""
        table = schema.list_versions
        return connection.scalar(select(func.max(table.c.position)).where(table.c.ledger == self._ledger)) or 0

    def find_changed(self, connection: Connection, number_keys: Collection[bytes], since: int) -> set[bytes]:
        """Return those of the keys whose numbers came onto a list, or went from one, after the position ``since``.

        Of a first version everybody on it has come. Where a change is no longer on record all are returned.
        """
        versions = self._read_versions(connection, since)
        within = {key[:KEY_BYTES]: key for key in number_keys}
        changed: set[bytes] = set()
        for row in versions:
            if row.change_bits is None:
                return set(number_keys)
            part, bits = (Part.CHANGE, row.change_bits) if row.change_bits else (Part.CONTENT, row.bits)
            changed |= find_members(connection, within, KeySet(row.id, part, bits))

        # An import that came in between may have taken away what was just read.
        if self._read_versions(connection, since) != versions:
            return set(number_keys)
        return {within[key] for key in changed}

    def _read_versions(self, connection: Connection, since: int) -> Sequence[Row[Any, Any, Any]]:
        """Return the versions that began or ceased to count after a position, and where their changes are."""
        columns = (_versions.c.id, _versions.c.bits, _versions.c.change_bits)
        later = (_versions.c.ledger == self._ledger, _versions.c.position > since)
        return connection.execute(select(*columns).where(*later).order_by(_versions.c.position)).all()


def _read(row: Row[Any]) -> ListInfo:
    return ListInfo(
        row.id,
        row.name,
        row.jurisdiction,
        Channel(row.channel),
        row.as_of,
        row.expires_at,
        row.numbers,
        row.sha256,
        row.bits,
        frozenset(json.loads(row.codes)),
        row.author,
        row.imported_at,
    )
