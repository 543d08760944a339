"""Putting a version of a list into the store: beside the one that counts, which it replaces in one moment.

Until then nothing that asks sees any of it. What an import leaves that was killed counts for nothing, and goes with the
next import of the list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..errors import BusyError
from ..model.blocks import Channel
from ..ports.services import Clock
from . import schema
from .key_spool import KeySpool
from .leases import Holder, is_alive, this_process
from .list_changes import Incoming, ListChange, count_on, merge_bucket
from .list_clearing import clear_former, delete_part
from .listing_pages import (
    BUCKETS,
    KEY_BYTES,
    KeySet,
    Part,
    bits_for,
    pack,
    unpack,
    write_bucket,
)
from .listings import ListInfo, Listings, VersionState
from .postgres import is_postgres, lock_tables
from .sql import insert_missing, moment
from .store import Store

_BUCKETS_AT_ONCE = 8
_AT_WORK: set[int] = set()
"""The versions that this process is putting in."""

Tell = Callable[[int, int], None]
"""Told how much of how much is done."""


class NewVersion(NamedTuple):
    """What is known of an import before its numbers: ``as_of`` and ``expires`` are UTC moments, ``sha256`` in hex."""

    name: str
    jurisdiction: str
    channel: Channel
    as_of: datetime
    expires: datetime | None
    sha256: str
    author: str


class ListImport:
    """One import of a list into a ledger, between :func:`begin_import` and its end."""

    def __init__(self, store: Store, ledger: str, new: NewVersion, clock: Clock, version_id: int) -> None:
        self.version_id = version_id
        self._store = store
        self._ledger = ledger
        self._new = new
        self._clock = clock

    def complete(
        self, incoming: Incoming, base: ListInfo | None, tell: Tell, also: Callable[[Connection, ListChange], None]
    ) -> ListChange:
        """Write what came in and let it count from then on, in the place of ``base``; return what that changes.

        ``also`` is part of the moment in which it begins to count. Raises BusyError where another import has taken
        this one over.
        """
        codes = incoming.codes | (base.codes if incoming.delta and base else set())
        bits = bits_for(incoming.spool.count + (base.numbers if incoming.delta and base else 0))
        with KeySpool() as changed:
            counts = self._write(incoming, base, bits, changed, tell)
            change_bits = self._write_changes(changed) if base else 0
        self._promote(counts, codes, bits, change_bits, also)
        return counts

    def _write(self, incoming: Incoming, base: ListInfo | None, bits: int, changed: KeySpool, tell: Tell) -> ListChange:
        content = KeySet(self.version_id, Part.CONTENT, bits)
        counts = ListChange()
        for start in range(0, BUCKETS, _BUCKETS_AT_ONCE):
            with self._own_transaction() as connection:
                for bucket in range(start, start + _BUCKETS_AT_ONCE):
                    keys, before = merge_bucket(connection, bucket, incoming, base)
                    write_bucket(connection, bucket, sorted(keys), content)
                    counts = count_on(counts, keys, before)
                    if base is not None:
                        packed = pack(sorted(keys ^ before))
                        changed.add(packed[at : at + KEY_BYTES] for at in range(0, len(packed), KEY_BYTES))
            tell(start + _BUCKETS_AT_ONCE, BUCKETS)
        return counts

    def _write_changes(self, changed: KeySpool) -> int:
        bits = bits_for(changed.count)
        change = KeySet(self.version_id, Part.CHANGE, bits)
        for start in range(0, BUCKETS, _BUCKETS_AT_ONCE):
            with self._own_transaction() as connection:
                for bucket in range(start, start + _BUCKETS_AT_ONCE):
                    write_bucket(connection, bucket, unpack(changed.read(bucket)), change)
        return bits

    def _promote(
        self,
        counts: ListChange,
        codes: set[str] | frozenset[str],
        bits: int,
        change_bits: int,
        also: Callable[[Connection, ListChange], None],
    ) -> None:
        table = schema.list_versions
        values: dict[str, Any] = {
            "numbers": counts.numbers,
            "bits": bits,
            "change_bits": change_bits,
            "codes": json.dumps(sorted(codes)),
        }
        with self._own_transaction() as connection:
            retire(self._store, connection, self._ledger, self._new.name)
            values |= {"state": VersionState.CURRENT.value, "position": _next_position(connection)}
            connection.execute(update(table).where(table.c.id == self.version_id).values(**values))
            also(connection, counts)

    @contextmanager
    def _own_transaction(self) -> Iterator[Connection]:
        table = schema.list_imports
        with self._store.transaction() as connection:
            mine = connection.execute(
                update(table)
                .where(
                    table.c.ledger == self._ledger,
                    table.c.name == self._new.name,
                    table.c.version_id == self.version_id,
                )
                .values(renewed_at=moment(connection, self._clock.now()))
            )
            if not mine.rowcount:
                raise BusyError(f"Another import of the list {self._new.name} took over.", "Wait for it.")
            yield connection


@contextmanager
def begin_import(store: Store, ledger: str, new: NewVersion, clock: Clock) -> Iterator[ListImport]:
    """Begin to import a version of a list, and clear up behind it however it ends.

    What a killed import of the list has left is cleared away first. Raises BusyError where another one is at work.
    """
    _take_over(store, ledger, new.name, clock)
    version_id = _enter(store, ledger, new, clock)
    _AT_WORK.add(version_id)
    try:
        yield ListImport(store, ledger, new, clock, version_id)
    finally:
        _AT_WORK.discard(version_id)
        _clear(store, ledger, new.name, version_id)
        clear_former(store, ledger, new.name)


def retire(store: Store, connection: Connection, ledger: str, name: str) -> None:
    """Let the version of the list that counts be a former one; nobody else's version counts before this is over."""
    table = schema.list_versions
    if is_postgres(store.engine.url):
        lock_tables(connection, [table])
    connection.execute(
        update(table)
        .where(table.c.ledger == ledger, table.c.name == name, table.c.state == VersionState.CURRENT.value)
        .values(state=VersionState.FORMER.value)
    )


def move_on(connection: Connection, version_id: int) -> None:
    """Let the version that was retired be the latest change: whoever was on it is to be looked at again."""
    table = schema.list_versions
    values = {"position": _next_position(connection), "change_bits": 0}
    connection.execute(update(table).where(table.c.id == version_id).values(**values))


def find_current(store: Store, ledger: str, name: str) -> ListInfo | None:
    """Return the version of the list that counts; None: the ledger has no such list."""
    with store.transaction() as connection:
        listings = Listings(store.keyring, ledger).current(connection)
    return next((each for each in listings if each.name == name), None)


def clear_leftovers(store: Store, ledger: str, name: str, clock: Clock) -> None:
    """Delete what imports of the list that were killed have left. Raises BusyError while one is at work."""
    _take_over(store, ledger, name, clock)
    clear_former(store, ledger, name)


def _take_over(store: Store, ledger: str, name: str, clock: Clock) -> None:
    table, here = schema.list_imports, this_process()
    with store.transaction() as connection:
        held = connection.execute(select(table).where(table.c.ledger == ledger, table.c.name == name)).one_or_none()
        agreed = moment(connection, clock.now())
    if held is None:
        return

    holder = Holder(**json.loads(held.holder))
    if held.version_id in _AT_WORK or (holder != here and is_alive(holder, here, agreed - held.renewed_at)):
        raise _busy(name, held)
    _clear(store, ledger, name, held.version_id)


def _enter(store: Store, ledger: str, new: NewVersion, clock: Clock) -> int:
    table = schema.list_versions
    with store.transaction() as connection:
        now = moment(connection, clock.now())
        version_id: int = connection.execute(
            insert(table)
            .values(
                ledger=ledger,
                name=new.name,
                jurisdiction=new.jurisdiction,
                channel=new.channel.value,
                as_of=new.as_of,
                expires_at=new.expires,
                sha256=new.sha256,
                author=new.author,
                state=VersionState.LOADING.value,
                imported_at=now,
            )
            .returning(table.c.id)
        ).scalar_one()
        row = {
            "ledger": ledger,
            "name": new.name,
            "version_id": version_id,
            "holder": json.dumps(asdict(this_process())),
            "renewed_at": now,
        }
        if not insert_missing(connection, schema.list_imports, [row]):
            raise _busy(new.name)
    return version_id


def _busy(name: str, held: Row[Any] | None = None) -> BusyError:
    by = f", by process {json.loads(held.holder)['pid']} on {json.loads(held.holder)['host']}" if held else ""
    return BusyError(f"The list {name} is being imported already{by}.", "Wait for that, and run again.")


def _clear(store: Store, ledger: str, name: str, version_id: int) -> None:
    """Delete what the import has put in, unless its version counts by now, and its claim on the list last."""
    versions, imports = schema.list_versions, schema.list_imports
    loading = (versions.c.id == version_id, versions.c.state == VersionState.LOADING.value)
    with store.transaction() as connection:
        is_loading = connection.execute(select(versions.c.id).where(*loading)).first() is not None
    if is_loading:
        for part in Part:
            delete_part(store, version_id, part)

    mine = (imports.c.ledger == ledger, imports.c.name == name, imports.c.version_id == version_id)
    with store.transaction() as connection:
        connection.execute(delete(versions).where(*loading))
        connection.execute(delete(imports).where(*mine))


def _next_position(connection: Connection) -> int:
    return (connection.scalar(select(func.max(schema.list_versions.c.position))) or 0) + 1
