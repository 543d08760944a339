"""What was heard of a number: what became of messages and calls, and what people answered.

Evidence is never a verdict by itself. Numbers appear as keyed hashes; the number, what was said and the vendor's id are
encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, select

from ..model.blocks import Channel, RecordName
from ..model.signals import OptOutWord, Outcome, Signal
from . import schema
from .column_types import storable
from .erased import find_erased_among
from .keyring import Keyring
from .sql import in_batches, insert_raw, raw_moment

_Table = schema.evidence
_COLUMNS = (
    "ledger",
    "number_key",
    "source",
    "outcome",
    "word",
    "code",
    "channel",
    "occurred_at",
    "account",
    "object",
    "record_id",
    "payload",
    "heard_at",
)


class Evidence(NamedTuple):
    """One event about a number, as it was told. Moments are aware, in UTC; ``number`` is E.164."""

    number: str
    source: str
    outcome: Outcome | None
    word: OptOutWord | None
    code: str
    channel: Channel
    occurred_at: datetime
    heard_at: datetime
    said: str
    detail: str
    sender: str
    record: RecordName | None


class EvidenceStore:
    """The evidence of one ledger. Every method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, ledger: str) -> None:
        self._keyring = keyring
        self._ledger = ledger

    def add(self, connection: Connection, number: str, signal: Signal, now: datetime) -> bool:
        """Keep what a signal tells of an E.164 number; return whether it was: of one that was erased nothing is."""
        return not self.add_all(connection, [(number, signal)], now)

    def add_all(self, connection: Connection, told: Sequence[tuple[str, Signal]], now: datetime) -> frozenset[str]:
        """Keep what signals tell of E.164 numbers; return those of them that were erased, of which nothing is kept."""
        erased = find_erased_among(connection, self._keyring, {number for number, _ in told})
        heard_at = raw_moment(connection, now)
        rows = [(*self._row(connection, number, signal), heard_at) for number, signal in told if number not in erased]
        insert_raw(connection, _Table, _COLUMNS, rows)
        return erased

    def _row(self, connection: Connection, number: str, signal: Signal) -> tuple[Any, ...]:
        """Return the row but for the moment at which it was heard, in the order of the columns."""
        record = signal.record
        row: dict[str, Any] = {
            "ledger": self._ledger,
            "number_key": self._keyring.number_key(number),
            "source": signal.vendor,
            "outcome": signal.outcome.value if signal.outcome else None,
            "word": signal.word.value if signal.word else None,
            "code": storable(signal.code),
            "channel": signal.channel.value,
            "occurred_at": signal.occurred_at,
            "account": record.account if record else None,
            "object": record.object if record else None,
            "record_id": record.id if record else None,
        }
        told = {
            "number": number,
            "id": signal.id,
            "said": signal.said,
            "detail": signal.detail,
            "sender": signal.sender,
        }
        payload = self._keyring.seal(told, evidence_about(row))
        row["occurred_at"] = raw_moment(connection, signal.occurred_at)
        return (*row.values(), payload)

    def latest_word(self, connection: Connection, number: str, source: str, word: OptOutWord) -> datetime | None:
        """Return when somebody with the number last asked this vendor for that; None where nobody has."""
        query = select(func.max(_Table.c.occurred_at)).where(
            _Table.c.ledger == self._ledger,
            _Table.c.number_key == self._keyring.number_key(number),
            _Table.c.source == source,
            _Table.c.word == word.value,
            # A vendor's code says that it holds messages back, and not when somebody asked for that.
            _Table.c.outcome.is_(None),
        )
        latest: datetime | None = connection.scalar(query)
        return latest


def list_evidence(connection: Connection, keyring: Keyring, key: bytes) -> Iterator[Evidence]:
    """Yield what was heard of the number with that key, for all ledgers, the oldest first."""
    rows = connection.execute(select(_Table).where(_Table.c.number_key == key).order_by(_Table.c.occurred_at))
    for row in rows:
        yield _read(keyring, row)


def latest_evidence(
    connection: Connection, keyring: Keyring, key: bytes, limit: int, ledger: str | None = None
) -> list[Evidence]:
    """Return what was heard of the number with that key, at most so many events, the latest first.

    Only for one ``ledger``, or with None for all.
    """
    theirs = [_Table.c.number_key == key, *([] if ledger is None else [_Table.c.ledger == ledger])]
    query = select(_Table).where(*theirs).order_by(_Table.c.occurred_at.desc(), _Table.c.id.desc())
    return [_read(keyring, row) for row in connection.execute(query.limit(limit))]


def name_numbers(connection: Connection, keyring: Keyring, ledger: str, keys: Sequence[bytes]) -> list[str]:
    """Return the E.164 numbers with these keys, as far as evidence that is kept still names them."""
    named: list[str] = []
    for some in in_batches(list(keys)):
        theirs = (_Table.c.ledger == ledger, _Table.c.number_key.in_(some))
        one_each = select(func.max(_Table.c.id)).where(*theirs).group_by(_Table.c.number_key)
        rows = connection.execute(select(_Table).where(_Table.c.id.in_(one_each)))
        named += [_read(keyring, row).number for row in rows]
    return named


def forget_evidence(connection: Connection, keys: Sequence[bytes]) -> int:
    """Delete what was heard of the numbers with these keys; return how much it was."""
    return connection.execute(delete(_Table).where(_Table.c.number_key.in_(keys))).rowcount


def evidence_about(row: Any) -> bytes:
    """Return what the payload of a row is bound to; ``row`` gives its values by name."""
    parts = [row["ledger"], bytes(row["number_key"]).hex(), row["source"], row["outcome"], row["word"], row["channel"]]
    moment = row["occurred_at"].astimezone(UTC).isoformat()
    return b"evidence:" + repr([*parts, storable(row["code"]), moment]).encode()


def _read(keyring: Keyring, row: Row[Any]) -> Evidence:
    told = keyring.open(bytes(row.payload), evidence_about(row._mapping))
    record = RecordName(row.account, row.object, row.record_id) if row.record_id is not None else None
    return Evidence(
        told["number"],
        row.source,
        Outcome(row.outcome) if row.outcome else None,
        OptOutWord(row.word) if row.word else None,
        row.code,
        Channel(row.channel),
        row.occurred_at,
        row.heard_at,
        told["said"],
        told["detail"],
        told["sender"],
        record,
    )
