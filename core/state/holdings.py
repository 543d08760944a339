"""Which record holds which number. Numbers appear as keyed hashes only."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import Connection, func, select, tuple_

from ..model.blocks import EVERY_WAY, Channel, reaches
from ..model.verdicts import OptOut
from . import schema
from .keyring import Keyring
from .sql import delete_among, ids_by_object, in_batches, insert_missing_raw, select_among

Key = tuple[str, str]

_CHUNK = 50_000
"""Records compared at once with those that a full read has seen."""


class Holding(NamedTuple):
    """One record with the numbers in its phone fields, and whether an opt-out flag of it is up.

    ``flagged`` is None where the flags' values are not known for certain: nothing is then taken back. ``said`` is whose
    opt-out the record's silenced slots name: its own, another record's, or none; ``messages`` the same of messages
    alone. ``up`` holds the channels of the flags that are up, ``mapped`` those of all flags in the mapping.
    With ``ratchet`` what somebody asked for outlives the flag being cleared by hand.
    """

    object: str
    record_id: str
    numbers: tuple[str, ...]
    flagged: bool | None
    said: OptOut = OptOut.NONE
    up: frozenset[Channel] = EVERY_WAY
    mapped: frozenset[Channel] = EVERY_WAY
    messages: OptOut = OptOut.NONE
    ratchet: bool = False

    def unsaid(self) -> Holding:
        """Return the same without what the slots say of opt-outs."""
        return self._replace(said=OptOut.NONE, messages=OptOut.NONE)

    def is_borne(self, channel: Channel, *, derived: bool) -> bool:
        """Return whether a flag is still up by which an opt-out of the channel stands on the record.

        What somebody asked for stands by the flags of its channel, what ringfence raised by every flag that it reaches.
        """
        if not self.flagged:
            return False
        return any(reaches(channel, each, self.mapped) for each in self.up) if derived else channel in self.up


class Raised(NamedTuple):
    """A record whose flags ringfence has raised: its numbers, for blocks of which channels, and which flags."""

    object: str
    record_id: str
    numbers: tuple[str, ...]
    blocks: frozenset[Channel] = EVERY_WAY
    flags: frozenset[Channel] = EVERY_WAY


class Holdings:
    """What the records of one org hold. Every method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, org_id: int) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._ours = {"org_id": org_id}
        self._seen: dict[str, array[int]] = {}

    def replace(self, connection: Connection, holdings: Sequence[Holding]) -> AbstractSet[Key]:
        """Record what these records hold now; return those of them that were known to hold something before.

        Only what differs is written: most hold what they held.
        """
        stored = self._read(connection, holdings)
        number_key, org_id = self._keyring.number_key, self._org_id
        outdated: list[Key] = []
        new: list[tuple[int, bytes, str, str]] = []

        for name, record_id, numbers, *_ in holdings:
            keys = set(map(number_key, numbers))
            if held := stored.get((name, record_id)):
                if held <= keys:
                    keys -= held
                else:
                    outdated.append((name, record_id))
            new += [(org_id, key, name, record_id) for key in keys]

        self.forget(connection, outdated)
        insert_missing_raw(connection, schema.holdings, ("org_id", "number_key", "object", "record_id"), new)
        return stored.keys()

    def forget(self, connection: Connection, records: Iterable[Key]) -> None:
        """Record that these records, (object, record id) each, hold nothing."""
        for name, ids in ids_by_object(records).items():
            delete_among(connection, {**self._ours, "object": name}, schema.holdings.c.record_id, ids)

    def find_holders(self, connection: Connection, number: str, limit: int) -> list[Key]:
        """Return records that hold the E.164 number, (object, record id) each, at most ``limit`` of them."""
        table = schema.holdings
        query = (
            select(table.c.object, table.c.record_id)
            .where(table.c.org_id == self._org_id, table.c.number_key == self._keyring.number_key(number))
            .order_by(table.c.object, table.c.record_id)
            .limit(limit)
        )
        return [(row.object, row.record_id) for row in connection.execute(query)]

    def find_holders_by_key(self, connection: Connection, keys: Sequence[bytes]) -> Iterator[Key]:
        """Return an iterator of (object, record id): a record comes once for each of these keys that it holds."""
        columns = [schema.holdings.c.object, schema.holdings.c.record_id]
        found = select_among(connection, columns, self._ours, schema.holdings.c.number_key, keys)
        return ((name, record_id) for name, record_id in found)

    def find_held(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of the keys whose number any record holds."""
        column = schema.holdings.c.number_key
        return {bytes(key) for (key,) in select_among(connection, [column], self._ours, column, keys)}

    def count_holders(self, connection: Connection, numbers: Collection[str]) -> dict[str, int]:
        """Return E.164 number -> how many records hold it."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        table = schema.holdings
        counts = dict.fromkeys(numbers, 0)

        for keys in in_batches(list(by_key)):
            rows = connection.execute(
                select(table.c.number_key, func.count().label("holders"))
                .where(table.c.org_id == self._org_id, table.c.number_key.in_(keys))
                .group_by(table.c.number_key)
            )
            counts.update({by_key[row.number_key]: row.holders for row in rows})
        return counts

    def count_records(self, connection: Connection, object_name: str) -> int:
        """Return how many records of the object hold a number."""
        table = schema.holdings
        query = select(func.count(table.c.record_id.distinct())).where(
            table.c.org_id == self._org_id, table.c.object == object_name
        )
        return connection.scalar(query) or 0

    def begin_full_read(self, connection: Connection, objects: Iterable[str]) -> None:
        """Note from now on which records of these objects :meth:`replace` is given, for :meth:`forget_unseen`."""
        # Eight bytes a record; nothing where nothing is known that could be gone.
        self._seen = {name: array("q") for name in objects if self.count_records(connection, name)}

    def forget_unseen(self, connection: Connection, object_name: str) -> None:
        """Forget the records that a full read of the object has not seen, where :meth:`begin_full_read` began it."""
        if (seen := self._seen.pop(object_name, None)) is None:
            return

        last = ""
        while some := self._record_ids(connection, object_name, last):
            last = some[-1]
            by_hash = {hash(record_id): record_id for record_id in some}
            gone = [by_hash[each] for each in set(by_hash).difference(seen)]
            self.forget(connection, [(object_name, record_id) for record_id in gone])

    def _record_ids(self, connection: Connection, object_name: str, after: str) -> Sequence[str]:
        table = schema.holdings
        query = (
            select(table.c.record_id)
            .where(table.c.org_id == self._org_id, table.c.object == object_name, table.c.record_id > after)
            .distinct()
            .order_by(table.c.record_id)
            .limit(_CHUNK)
        )
        return connection.scalars(query).all()

    def _read(self, connection: Connection, holdings: Sequence[Holding]) -> dict[Key, set[bytes]]:
        table = schema.holdings
        columns = [table.c.record_id, table.c.number_key]
        found: defaultdict[Key, set[bytes]] = defaultdict(set)

        for name, ids in ids_by_object((each.object, each.record_id) for each in holdings).items():
            if (seen := self._seen.get(name)) is not None:
                seen.extend(map(hash, ids))
            theirs = {**self._ours, "object": name}
            for record_id, key in select_among(connection, columns, theirs, table.c.record_id, ids):
                found[name, record_id].add(key)
        return found


def list_own_holders(connection: Connection, org_id: int, keys: Sequence[bytes], after: Key, limit: int) -> list[Key]:
    """Return records of one account that hold any of the numbers with these keys, each once, behind ``after``."""
    table = schema.holdings
    query = (
        select(table.c.object, table.c.record_id)
        .distinct()
        .where(table.c.org_id == org_id, table.c.number_key.in_(keys))
        .where(tuple_(table.c.object, table.c.record_id) > tuple_(*after))
        .order_by(table.c.object, table.c.record_id)
        .limit(limit)
    )
    return [(row.object, row.record_id) for row in connection.execute(query)]


def list_holders(connection: Connection, ledger: str, keys: Sequence[bytes], limit: int) -> list[tuple[str, str, str]]:
    """Return the records that hold any of the numbers with these keys, of all accounts of a suppression ledger.

    Each as the key of its account, its object and its id; at most ``limit`` of them.
    """
    table, orgs = schema.holdings, schema.orgs
    query = (
        select(orgs.c.key, table.c.object, table.c.record_id)
        .distinct()
        .join(orgs, orgs.c.id == table.c.org_id)
        .where(orgs.c.ledger == ledger, table.c.number_key.in_(keys))
        .order_by(orgs.c.key, table.c.object, table.c.record_id)
        .limit(limit)
    )
    return [(row.key, row.object, row.record_id) for row in connection.execute(query)]
