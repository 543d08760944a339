"""Which records of an account hold a number that is somebody else's, and which of them have yet to hear of it.

Such an entry of the suppression ledger is about a number on one record (docs/contract.md, section 4). It names the
record by what commands called the account then; all names count that belong to the account of today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from ..model.blocks import Channel
from . import schema
from .blocks import Blocks
from .keyring import Keyring
from .reach import Reach, Source
from .run_history import find_account_names

Named = tuple[str, str, str]
"""An object, the id of a record, and a number in E.164."""


class WrongPersons:
    """The entries about single records of one org. Every method works in the caller's transaction.

    ``account`` is what the org is called now; where that is empty, the names that it had in earlier runs count alone.
    """

    def __init__(self, keyring: Keyring, org_id: int, account: str) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._account = account
        self._reach = Reach(org_id, Source.RECORD)
        self._entries = Blocks(keyring, "")
        self._names: frozenset[str] | None = None

    def take_in(self, connection: Connection, now: datetime) -> list[tuple[str, str]]:
        """Return the records, (object, id) each, to which such an entry has come, or of which one has ended since."""
        names = self._begin(connection)
        if not names:
            return []

        records: dict[bytes, tuple[str, str]] = {}
        counting: set[bytes] = set()
        for name, record_id, key, counts in self._entries.list_wrong_persons(connection, names, now):
            digest = _digest(name, record_id, key)
            records[digest] = (name, record_id)
            if counts:
                counting.add(digest)

        changed = self._reach.take_in(connection, {(digest, Channel.ALL) for digest in counting})
        for new in self._reach.list_keys(connection, all_runs=False):
            changed.update(new)
        self._reach.mark_propagated(connection)
        return sorted({records[digest] for digest in changed if digest in records})

    def find(
        self, connection: Connection, numbers: Collection[str], now: datetime
    ) -> tuple[frozenset[Named], frozenset[Named]]:
        """Return where one of the numbers is somebody else's, and where it was and is so no longer."""
        names = self._begin(connection) if self._names is None else self._names
        if not names or not numbers:
            return frozenset(), frozenset()
        found = self._entries.find_wrong_persons(connection, numbers, names, now)
        counting = frozenset(named for named, counts in found.items() if counts)
        return counting, frozenset(found) - counting

    def _begin(self, connection: Connection) -> frozenset[str]:
        """Find out by which names entries know the org. Mostly there are none, and then nothing more is asked."""
        orgs = schema.orgs
        own = connection.execute(select(orgs.c.key, orgs.c.ledger).where(orgs.c.id == self._org_id)).one()
        self._entries = Blocks(self._keyring, own.ledger)
        named = self._entries.list_wrong_person_accounts(connection)
        if named:
            named &= {self._account, *find_account_names(connection, own.key)}
        self._names = frozenset(named)
        return self._names


def _digest(object_name: str, record_id: str, number_key: bytes) -> bytes:
    """Return what stands for a number on a record: as long as the key of a number, and equal to none."""
    named = f"{object_name}\0{record_id}\0".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(named + number_key, digest_size=len(number_key)).digest()
