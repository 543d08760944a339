"""Who did what: an audit log whose entries are chained, so that nobody changes, removes or inserts one unseen.

Each entry holds a keyed hash of itself and of the one before it. The *head*, the place and the hash of the latest
entry, is sealed under the encryption key: whoever cuts the log off at its end would have to make another one.
"""

from __future__ import annotations

import hmac
from collections.abc import Generator, Iterable
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, text, update

from ..errors import StateError
from ..numbers import mask_numbers
from . import schema
from .column_types import storable
from .keyring import Keyring
from .sql import insert_missing

HEAD = "audit-head"
"""Name under which the head is kept among the secrets."""

BEGINNING = bytes(32)
"""The hash that the first entry is chained to."""

_PURPOSE = "audit"
_ROWS = 5_000
_TEXTS = ("at", "author", "action", "subject", "reason")
"""The texts of an entry, in the order in which its hash covers them."""


class AuditAction(StrEnum):
    """What a person or a signal did."""

    ADD = "add"  # put an entry on the suppression ledger
    LIFT = "lift"
    IMPORT = "import"
    EXPORT = "export"
    REVEAL = "reveal"  # had full numbers shown
    RESOLVE = "resolve"
    ERASE = "erase"
    PURGE = "purge"
    FORGET = "forget"
    MOVE = "move"
    BACKUP = "backup"
    RESTORE = "restore"
    ROTATE_KEY = "rotate_key"
    APPLY = "apply"  # carried out a plan file
    UNDO = "undo"
    ADD_TOKEN = "add_token"  # noqa: S105 - made a token for the service
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - the name of an act
    DENY = "deny"  # what a caller of the service was not allowed to do

    __hash__ = str.__hash__


class Act(NamedTuple):
    """What was done at the moment ``at`` (aware UTC).

    ``subject`` names what it was done to: a masked number, a list, a run, a file, the id of a key. It and the reason
    are masked once more when they are kept.
    """

    at: datetime
    author: str
    action: AuditAction
    subject: str
    reason: str = ""


class AuditEntry(NamedTuple):
    """An entry as it stands in the log; ``at`` is its text, in UTC, and ``hash`` in hexadecimal digits."""

    seq: int
    at: str
    author: str
    action: str
    subject: str
    reason: str
    hash: str


class Verified(NamedTuple):
    """What going through the whole log has shown.

    ``broken_at`` is the first place that is not as it was written, None where all is; ``head`` the hash of the latest
    entry that is. ``holds_kept`` tells whether a head that somebody kept elsewhere is one of this log's.
    """

    entries: int
    head: str
    broken_at: int | None
    holds_kept: bool


class AuditLog:
    """The audit log of a store."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._key = keyring.authenticator(_PURPOSE).digest()

    def append(self, connection: Connection, act: Act) -> AuditEntry:
        """Add an entry in the transaction of the act itself: both count, or neither.

        Until that transaction ends, others wait with theirs; so it belongs at its end. Raises StateError where the
        head does not open.
        """
        seq, before = self._take_head(connection)
        texts = {
            "at": _written(act.at),
            "author": storable(act.author),
            "action": act.action.value,
            "subject": storable(mask_numbers(act.subject)),
            "reason": storable(mask_numbers(act.reason)),
        }
        chained = self._chain(before, seq + 1, map(str.encode, texts.values()))

        connection.execute(insert(schema.audit).values(seq=seq + 1, hash=chained, **texts))
        _keep_head(connection, self._seal_head(seq + 1, chained))
        return AuditEntry._make((seq + 1, *texts.values(), chained.hex()))

    def latest(self, connection: Connection, since: datetime | None, limit: int) -> list[AuditEntry]:
        """Return the latest entries from the moment ``since`` (UTC) on, the newest first, at most ``limit``."""
        table = schema.audit
        query = select(*(table.c[name] for name in AuditEntry._fields)).order_by(table.c.seq.desc()).limit(limit)
        if since is not None:
            query = query.where(table.c.at >= _written(since))
        return [AuditEntry._make((*row[:-1], bytes(row.hash).hex())) for row in connection.execute(query)]

    def verify(self, connection: Connection, kept: str = "") -> Verified:
        """Go through the whole log; ``kept`` is a head of it that somebody has kept elsewhere, empty: none.

        The connection's transaction must be new: it sees one moment of the log while others add to it.
        """
        _see_one_moment(connection)
        try:
            last, head = self._read_head(connection)
        except StateError:
            last, head = -1, b""

        seq, before, wanted, seen = 0, BEGINNING, _from_hex(kept), not kept
        with closing(_read(connection)) as rows:
            for place, kept_hash, *texts in rows:
                chained = self._chain(before, seq + 1, texts)
                if (place, kept_hash) != (seq + 1, chained) or seq + 1 > last >= 0:
                    return Verified(seq, before.hex(), seq + 1, seen)
                seq, before = seq + 1, chained
                seen = seen or chained == wanted

        return Verified(seq, before.hex(), _broken_at_end((seq, before), (last, head)), seen)

    def reseal(self, connection: Connection) -> None:
        """Seal the head anew, under the key that is the present one. Raises StateError where it does not open."""
        _keep_head(connection, self._seal_head(*self._take_head(connection)))

    def _chain(self, before: bytes, seq: int, texts: Iterable[bytes | None]) -> bytes:
        """Return the hash of an entry: over the one before it, its place and each of its texts with its length."""
        sized = [b"-" if each is None else b"%d:%b" % (len(each), each) for each in texts]
        return hmac.digest(self._key, b"%b%d:%b" % (before, seq, b"".join(sized)), "sha256")

    def _take_head(self, connection: Connection) -> tuple[int, bytes]:
        """Return the head, and keep everybody else from adding to the log until the transaction ends."""
        table = schema.secrets
        missing = {"name": HEAD, "value": self._seal_head(0, BEGINNING)}
        # On SQLite this change, made or not, is what others wait for; on PostgreSQL it is the row.
        if insert_missing(connection, table, [missing]) and _has_entries(connection):
            raise _lost_head()
        locked = select(table.c.value).where(table.c.name == HEAD).with_for_update()
        return self._open_head(connection.execute(locked).scalar_one())

    def _read_head(self, connection: Connection) -> tuple[int, bytes]:
        table = schema.secrets
        sealed = connection.scalar(select(table.c.value).where(table.c.name == HEAD))
        if sealed is not None:
            return self._open_head(sealed)
        if _has_entries(connection):
            raise _lost_head()
        return 0, BEGINNING

    def _seal_head(self, seq: int, chained: bytes) -> bytes:
        return self._keyring.seal([seq, chained.hex()], HEAD.encode())

    def _open_head(self, sealed: bytes) -> tuple[int, bytes]:
        seq, chained = self._keyring.open(bytes(sealed), HEAD.encode())
        return int(seq), bytes.fromhex(chained)


def _lost_head() -> StateError:
    return StateError(
        "The head of the audit log is gone, and its entries are there: somebody has changed the state store.",
        "Restore a backup.",
    )


def _written(moment: datetime) -> str:
    """Return a moment as a text; the order of the texts is that of the moments."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _has_entries(connection: Connection) -> bool:
    return connection.execute(select(schema.audit.c.seq).limit(1)).first() is not None


def _keep_head(connection: Connection, sealed: bytes) -> None:
    table = schema.secrets
    connection.execute(update(table).where(table.c.name == HEAD).values(value=sealed))


def _see_one_moment(connection: Connection) -> None:
    """Let all that the transaction reads be of one moment."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    else:
        connection.exec_driver_sql("BEGIN")


def _read(connection: Connection) -> Generator[Any, None, None]:
    """Yield place, hash and texts of each row in their order, some at a time: there may be millions.

    The texts come as bytes: where somebody has changed one of them, they may be no text any more.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    as_bytes = "CAST({} AS BLOB)" if is_sqlite else "convert_to({}, 'UTF8')"
    kept_hash = as_bytes.format("hash") if is_sqlite else "hash"
    columns = ", ".join(("seq", kept_hash, *map(as_bytes.format, _TEXTS)))
    query = text(f"SELECT {columns} FROM {schema.audit.name} ORDER BY seq")  # noqa: S608 - names of our schema
    with connection.execute(query.execution_options(yield_per=_ROWS)) as found:
        for rows in found.partitions(_ROWS):
            yield from rows


def _broken_at_end(found: tuple[int, bytes], head: tuple[int, bytes]) -> int | None:
    """Return the place at which the log does not end as its head says; None where it does.

    A head that does not open has the place -1: then it is the latest entry that nothing vouches for.
    """
    if found == head:
        return None
    return min(found[0] + 1, head[0]) if head[0] > 0 else max(found[0], 1)


def _from_hex(kept: str) -> bytes:
    """Return a hash from its hexadecimal digits; of a text that is none, nothing."""
    try:
        return bytes.fromhex(kept)
    except ValueError:
        return b""
