"""The entries of a suppression ledger: added, never changed; whoever lifts one adds another that says so.

Numbers appear as keyed hashes; the number itself, the reason and the evidence are encrypted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, insert, or_, select, update

from ..model.blocks import Block, BlockKind, BlockSource, Channel, Entry, NewEntry, RecordName
from . import schema
from .column_types import storable
from .erased import erased_since
from .keyring import Keyring
from .sql import BATCH, in_batches

_Table = schema.blocks

_LIFTING = _Table.alias("lifting")
_IS_LIFTED = select(_LIFTING.c.id).where(_LIFTING.c.lifts == _Table.c.id).exists()

# Made once: every question to the ledger asks this, and making a statement takes longer than carrying it out.
_BLOCKS_OF_NUMBERS = (
    select(*(_Table.c[name] for name in ("number_key", "kind", "channel", "source", "origin", "since", "expires_at")))
    .where(
        _Table.c.ledger == bindparam("ledger"),
        _Table.c.number_key.in_(bindparam("keys", expanding=True)),
        _Table.c.record_id.is_(None),
        _Table.c.lifts.is_(None),
        ~_IS_LIFTED,
        or_(_Table.c.expires_at.is_(None), _Table.c.expires_at > bindparam("now")),
    )
    .order_by(_Table.c.id)
)

_FIRST = select(_Table.c.id).where(_Table.c.ledger == bindparam("ledger")).limit(1)  # likewise

_IS_WRONG_PERSON = _Table.c.kind == BlockKind.WRONG_PERSON.value
_NOTHING = {"number": "", "reason": "", "evidence": ""}
"""What an entry holds about a number that was erased."""


class Blocks:
    """The entries of one ledger. Every method works in the caller's transaction; moments are aware, in UTC."""

    def __init__(self, keyring: Keyring, ledger: str) -> None:
        self._keyring = keyring
        self._ledger = ledger

    def add(self, connection: Connection, new: NewEntry) -> Entry:
        """Put an entry on the ledger and return it."""
        return self._insert(connection, new, lifts=None)

    def add_under(self, connection: Connection, key: bytes, new: NewEntry) -> Entry:
        """Put an entry on the ledger about the number with that key, which was erased: nobody knows it any more."""
        return self._insert(connection, new._replace(number="", reason="", evidence=""), lifts=None, key=key)

    def lift(
        self,
        connection: Connection,
        entries: Iterable[Entry],
        reason: str,
        author: str,
        now: datetime,
        source: BlockSource = BlockSource.PERSON,
    ) -> list[Entry]:
        """End these entries: each gets another one that names it. Return those that say so.

        ``source`` tells whether a person ends them, or a signal.
        """
        lifted = []
        for entry in entries:
            new = NewEntry(
                entry.number,
                entry.kind,
                entry.channel,
                source,
                reason,
                author,
                now,
                record=entry.record,
            )
            lifted.append(self._insert(connection, new, lifts=entry.id))
        return lifted

    def find_active(self, connection: Connection, numbers: Collection[str], now: datetime) -> dict[str, list[Entry]]:
        """Return E.164 number -> its entries that block at the moment ``now``, for those numbers that have any."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for keys in in_batches(list(by_key)):
            for row in connection.execute(
                select(_Table).where(*self._active(now), _Table.c.number_key.in_(keys)).order_by(_Table.c.id)
            ):
                number = by_key[bytes(row.number_key)]
                found[number].append(self._read(row)._replace(number=number))
        return dict(found)

    def find_blocks(self, connection: Connection, numbers: Collection[str], now: datetime) -> dict[str, list[Block]]:
        """Return E.164 number -> what its entries block at the moment ``now``; nothing is decrypted for it.

        Entries about one record alone (``wrong_person``) block no number and are left out.
        """
        by_key = {self._keyring.number_key(number): number for number in numbers}
        found: defaultdict[str, list[Block]] = defaultdict(list)
        asked = {"ledger": self._ledger, "now": now}
        for keys in in_batches(list(by_key)):
            rows = connection.execute(_BLOCKS_OF_NUMBERS, {**asked, "keys": keys})
            for key, kind, channel, source, origin, since, expires in rows:
                block = Block(BlockKind(kind), Channel(channel), BlockSource(source), origin, since, expires)
                found[by_key[bytes(key)]].append(block)
        return dict(found)

    def find_wrong_persons(
        self, connection: Connection, numbers: Collection[str], accounts: Collection[str], now: datetime
    ) -> dict[tuple[str, str, str], bool]:
        """Return (object, record id, E.164 number) -> whether it still counts that the number is somebody else's there.

        The records are those of the account that commands call, or have called, by these names.
        """
        by_key = {self._keyring.number_key(number): number for number in numbers}
        found: dict[tuple[str, str, str], bool] = {}
        for keys in in_batches(list(by_key)):
            for name, record_id, key, counts in self.list_wrong_persons(connection, accounts, now, keys):
                named = (name, record_id, by_key[key])
                found[named] = counts or found.get(named, False)
        return found

    def list_wrong_persons(
        self,
        connection: Connection,
        accounts: Collection[str],
        now: datetime,
        keys: Sequence[bytes] | None = None,
    ) -> Iterator[tuple[str, str, bytes, bool]]:
        """Yield (object, record id, key of the number, whether it still counts) of each such entry of an account.

        ``keys`` restricts them to those of these numbers, at most :data:`ringfence.core.state.sql.BATCH`.
        """
        counts = and_(*self._active(now)).label("counts")
        query = select(_Table.c.object, _Table.c.record_id, _Table.c.number_key, counts)
        ours = (_Table.c.ledger == self._ledger, _Table.c.account.in_(sorted(accounts)))
        query = query.where(*ours, _IS_WRONG_PERSON, _Table.c.lifts.is_(None))
        if keys is not None:
            query = query.where(_Table.c.number_key.in_(keys))
        for name, record_id, key, still in connection.execute(query):
            yield name, record_id, bytes(key), bool(still)

    def list_wrong_person_accounts(self, connection: Connection) -> set[str]:
        """Return the names of the accounts on whose records a number was said to be somebody else's: mostly none."""
        query = select(_Table.c.account).distinct().where(_Table.c.ledger == self._ledger, _IS_WRONG_PERSON)
        return set(connection.scalars(query))

    def list_active(
        self, connection: Connection, now: datetime, kind: BlockKind | None = None, limit: int | None = None
    ) -> Iterator[Entry]:
        """Yield the entries that block at the moment ``now``, the newest first, at most ``limit``."""
        query = select(_Table).where(*self._active(now)).order_by(_Table.c.id.desc()).limit(limit)
        if kind is not None:
            query = query.where(_Table.c.kind == kind.value)
        yield from map(self._read, connection.execute(query))

    def any_blocks(self, connection: Connection) -> bool:
        """Return whether the ledger holds any entry at all: mostly it holds none, and nothing more need be asked."""
        return connection.scalar(_FIRST, {"ledger": self._ledger}) is not None

    def find_keys(self, connection: Connection, keys: Sequence[bytes], now: datetime) -> set[bytes]:
        """Return those of the keys whose number is blocked at the moment ``now``."""
        found: set[bytes] = set()
        for some in in_batches(keys):
            blocking = (*self._active(now), _Table.c.number_key.in_(some), _Table.c.record_id.is_(None))
            found.update(map(bytes, connection.scalars(select(_Table.c.number_key).where(*blocking))))
        return found

    def list_keys(self, connection: Connection, now: datetime) -> Iterator[Sequence[tuple[bytes, Channel]]]:
        """Yield the keys of the numbers that are blocked at the moment ``now``, with the channel, in batches."""
        columns = (_Table.c.number_key, _Table.c.channel)
        query = select(*columns).distinct().where(*self._active(now), _Table.c.record_id.is_(None))
        for rows in connection.execute(query.execution_options(yield_per=BATCH)).partitions():
            yield [(bytes(key), Channel(channel)) for key, channel in rows]

    def history(self, connection: Connection, number: str) -> list[Entry]:
        """Return every entry about the E.164 number, those that lift included, the oldest first."""
        query = select(_Table).where(
            _Table.c.ledger == self._ledger, _Table.c.number_key == self._keyring.number_key(number)
        )
        rows = connection.execute(query.order_by(_Table.c.id))
        return [self._read(row)._replace(number=number) for row in rows]

    def forget_words(self, connection: Connection, number: str) -> int:
        """Let the entries about an E.164 number say nothing but that it is blocked; return how many said more.

        What they block stays as it is: by the key of the number.
        """
        return self.forget_words_under(connection, self._keyring.number_key(number))

    def forget_words_under(self, connection: Connection, key: bytes) -> int:
        """Do as :meth:`forget_words` for the number with that key."""
        query = select(_Table).where(_Table.c.ledger == self._ledger, _Table.c.number_key == key)
        telling = [row for row in connection.execute(query) if self._read(row).number]
        for row in telling:
            empty = self._keyring.seal(_NOTHING, entry_about(row._mapping))
            connection.execute(update(_Table).where(_Table.c.id == row.id).values(payload=empty))
        return len(telling)

    def _active(self, now: datetime) -> Sequence[ColumnElement[bool]]:
        unexpired = or_(_Table.c.expires_at.is_(None), _Table.c.expires_at > now)
        return (_Table.c.ledger == self._ledger, and_(_Table.c.lifts.is_(None), ~_IS_LIFTED, unexpired))

    def _insert(self, connection: Connection, new: NewEntry, lifts: int | None, key: bytes | None = None) -> Entry:
        key = self._keyring.number_key(new.number) if key is None else key
        row: dict[str, Any] = {
            "ledger": self._ledger,
            "number_key": key,
            "kind": new.kind.value,
            "channel": new.channel.value,
            "source": new.source.value,
            "origin": new.origin,
            "author": new.author,
            "since": new.since,
            "expires_at": new.expires,
            "account": new.record.account if new.record else None,
            "object": new.record.object if new.record else None,
            "record_id": new.record.id if new.record else None,
            "lifts": lifts,
        }
        payload = {"number": new.number, "reason": new.reason, "evidence": new.evidence}
        if erased_since(connection, self._keyring, new.number) is not None:
            payload = _NOTHING
        row["payload"] = self._keyring.seal(payload, entry_about(row))
        inserted = connection.execute(insert(_Table).values(**row).returning(_Table.c.id)).scalar_one()
        return Entry(inserted, *new, lifts)

    def _read(self, row: Row[Any]) -> Entry:
        payload = self._keyring.open(bytes(row.payload), entry_about(row._mapping))
        record = RecordName(row.account, row.object, row.record_id) if row.record_id is not None else None
        return Entry(
            row.id,
            payload["number"],
            BlockKind(row.kind),
            Channel(row.channel),
            BlockSource(row.source),
            payload["reason"],
            row.author,
            row.since,
            row.expires_at,
            row.origin,
            payload["evidence"],
            record,
            row.lifts,
        )


def entry_about(row: Any) -> bytes:
    """Return what the payload of a row, columns by name, is bound to: all but the id, which nobody knows before."""
    held = [row[column.name] for column in _Table.columns if column.name not in ("id", "payload")]
    return b"blocks:" + repr([_plain(value) for value in held]).encode()


def _plain(value: Any) -> Any:
    """Return a value of a column in the one form that it has before it is stored and afterwards."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str):
        return storable(value)
    return bytes(value) if isinstance(value, memoryview) else value
