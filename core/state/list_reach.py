"""How far an account has taken in the lists of its ledger: compared where they have changed, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, select

from . import schema
from .keyring import Keyring
from .listings import Listings
from .reach import Covered, Reach, Source
from .sql import upsert

_KEYS_AT_ONCE = 20_000


class ListReach(Reach):
    """What one org has taken in of the lists of its ledger, which may hold a thousand times as many numbers."""

    def __init__(self, keyring: Keyring, org_id: int) -> None:
        super().__init__(org_id, Source.LIST)
        self._keyring = keyring
        self._org_id = org_id

    def take_in_changes(self, connection: Connection, ledger: str) -> set[bytes]:
        """Take in who came onto a list or went from one since the last time; return the keys of who is on none.

        Only numbers that the org's records hold, or a flag of theirs is about, are looked for.
        """
        listings = Listings(self._keyring, ledger)
        position, known = listings.position(connection), self._read_position(connection)
        if known == (ledger, position) or (known is None and not position):
            return set()

        moved = known is not None and known[0] != ledger
        since = known[1] if known and not moved else 0
        freed = self._compare_all(connection, listings) if moved else self._compare(connection, listings, since)
        row = {"org_id": self._org_id, "ledger": ledger, "position": position}
        upsert(connection, schema.lists_taken_in, [row])
        return freed

    def _compare(self, connection: Connection, listings: Listings, since: int) -> set[bytes]:
        freed: set[bytes] = set()
        for keys in self._list_numbers(connection):
            if changed := listings.find_changed(connection, keys, since):
                freed |= self.take_in(connection, _find_listed(connection, listings, changed), changed)
        return freed

    def _compare_all(self, connection: Connection, listings: Listings) -> set[bytes]:
        listed: set[Covered] = set()
        for keys in self._list_numbers(connection):
            listed |= _find_listed(connection, listings, keys)
        return self.take_in(connection, listed)

    def _list_numbers(self, connection: Connection) -> Iterator[Sequence[bytes]]:
        """Yield the keys of the numbers that the org's records hold, or that a flag of theirs is about."""
        for table in (schema.holdings, schema.opt_out_flags):
            last = b""
            while keys := self._next(connection, table, last):
                last = keys[-1]
                yield keys

    def _next(self, connection: Connection, table: Table, after: bytes) -> Sequence[bytes]:
        key = table.c.number_key
        behind = (table.c.org_id == self._org_id, key > after)
        query = select(key).where(*behind).distinct().order_by(key).limit(_KEYS_AT_ONCE)
        return list(map(bytes, connection.scalars(query)))

    def _read_position(self, connection: Connection) -> tuple[str, int] | None:
        table = schema.lists_taken_in
        query = select(table.c.ledger, table.c.position).where(table.c.org_id == self._org_id)
        row = connection.execute(query).one_or_none()
        return (row.ledger, row.position) if row else None


def _find_listed(connection: Connection, listings: Listings, keys: Sequence[bytes] | set[bytes]) -> set[Covered]:
    found = listings.find_by_key(connection, keys)
    return {(key, block.channel) for key, blocks in found.items() for block in blocks}
