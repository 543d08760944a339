"""The latest signs of each number, as a digest of the evidence: a sync reads one small row a number, and not its calls.

Numbers appear as keyed hashes; what was told of them is encrypted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, literal, select, tuple_, update

from ..model.signals import Outcome
from ..model.signs import NumberSign, SourceKind
from . import schema
from .intakes import Intake, await_intake
from .keyring import Keyring
from .sql import in_batches, raw_moment, upsert, upsert_raw
from .store import Store

MOST = 32
"""Signs that are kept of a number: the latest ones, in whatever order they come."""

Signs = tuple[NumberSign, ...]

_Table = schema.number_signs
_COLUMNS = ("ledger", "number_key", "latest_at", "payload")


class NumberSigns:
    """The signs of a ledger. Every method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, ledger: str) -> None:
        self._keyring = keyring
        self._ledger = ledger

    def add(self, connection: Connection, told: Mapping[str, Iterable[NumberSign]]) -> dict[str, tuple[Signs, Signs]]:
        """Add signs, by E.164 number; return the signs before and after of each number for which they differ.

        Nobody else may add signs of these numbers meanwhile (:func:`ringfence.core.state.heard_signals.take_turns`).
        """
        before = self.find(connection, told.keys())
        changed: dict[str, tuple[Signs, Signs]] = {}
        for number, signs in told.items():
            known = before.get(number, ())
            latest = tuple(sorted({*known, *signs})[-MOST:])
            if latest != known:
                changed[number] = (known, latest)

        rows = [self._row(connection, number, after) for number, (_, after) in changed.items()]
        upsert_raw(connection, _Table, _COLUMNS, rows, ("latest_at", "payload"))
        return changed

    def find(self, connection: Connection, numbers: Collection[str]) -> dict[str, Signs]:
        """Return the signs of each E.164 number that has any, the oldest first."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        columns = (_Table.c.number_key, _Table.c.payload)
        found: dict[str, Signs] = {}
        for keys in in_batches(list(by_key)):
            theirs = (_Table.c.ledger == self._ledger, _Table.c.number_key.in_(keys))
            for row in connection.execute(select(*columns).where(*theirs)):
                found[by_key[bytes(row.number_key)]] = self._read(bytes(row.number_key), bytes(row.payload))
        return found

    def stir(self, connection: Connection, numbers: Collection[str]) -> None:
        """Mark that these E.164 numbers, of which signs are kept, have news for the records that hold them.

        Marks grow in the order in which their transactions end: whoever has read up to one has missed none before it.
        """
        if not numbers:
            return
        await_intake(connection, Intake.SIGNS)
        latest = connection.scalar(select(func.max(_Table.c.stirred)).where(_Table.c.ledger == self._ledger)) or 0
        for keys in in_batches(sorted(map(self._keyring.number_key, numbers))):
            theirs = (_Table.c.ledger == self._ledger, _Table.c.number_key.in_(keys))
            connection.execute(update(_Table).where(*theirs).values(stirred=latest + 1))

    def stirred_after(self, connection: Connection, mark: int, key: bytes, limit: int) -> list[tuple[int, bytes]]:
        """Return marks and keys of numbers with news behind a mark and, at that mark, behind a key, in their order."""
        place = tuple_(_Table.c.stirred, _Table.c.number_key)
        query = (
            select(_Table.c.stirred, _Table.c.number_key)
            .where(_Table.c.ledger == self._ledger, place > tuple_(literal(mark), literal(key)))
            .order_by(_Table.c.stirred, _Table.c.number_key)
            .limit(limit)
        )
        return [(row.stirred, bytes(row.number_key)) for row in connection.execute(query)]

    def has_any(self, connection: Connection) -> bool:
        """Return whether there is any sign at all: mostly there is none, and then no batch need look."""
        return (
            connection.scalar(select(_Table.c.number_key).where(_Table.c.ledger == self._ledger).limit(1)) is not None
        )

    def _row(self, connection: Connection, number: str, signs: Signs) -> tuple[Any, ...]:
        key = self._keyring.number_key(number)
        content = [[sign.occurred_at.isoformat(), sign.kind, sign.source, sign.outcome, sign.code] for sign in signs]
        payload = self._keyring.seal(content, signs_about(self._ledger, key))
        return self._ledger, key, raw_moment(connection, signs[-1].occurred_at), payload

    def _read(self, key: bytes, payload: bytes) -> Signs:
        content: Sequence[Sequence[str]] = self._keyring.open(payload, signs_about(self._ledger, key))
        return tuple(
            NumberSign(datetime.fromisoformat(moment), SourceKind(kind), source, Outcome(outcome), code)
            for moment, kind, source, outcome, code in content
        )


def read_mark(store: Store, org_id: int) -> int:
    """Return up to which mark an account's records have heard the news; 0 where they have heard none."""
    table = schema.signs_read
    with store.transaction() as connection:
        return connection.scalar(select(table.c.mark).where(table.c.org_id == org_id)) or 0


def keep_mark(store: Store, org_id: int, mark: int) -> None:
    """Record that the account's records have heard all news up to a mark."""
    with store.transaction() as connection:
        upsert(connection, schema.signs_read, [{"org_id": org_id, "mark": mark}])


def forget_signs(connection: Connection, keys: Sequence[bytes]) -> int:
    """Delete the signs of the numbers with these keys; return of how many numbers there were any."""
    return connection.execute(delete(_Table).where(_Table.c.number_key.in_(keys))).rowcount


def signs_about(ledger: str, number_key: bytes) -> bytes:
    """Return what a payload is bound to, so that no number can be given another one's signs."""
    return b"signs:" + repr([ledger, number_key.hex()]).encode()
