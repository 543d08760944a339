"""Which signals were heard: the same one told again does nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from . import schema
from .keyring import Keyring
from .sql import insert_missing

_PURPOSE = "heard-signal"
_BYTES = 16
_LOCK_BYTES = 8


def hear(
    connection: Connection, keyring: Keyring, vendor: str, signal_id: str, now: datetime, *, timeless: bool
) -> bool:
    """Put a signal on record as heard at the moment ``now`` (UTC), and return whether it is new.

    ``timeless`` tells that its signature covers no time: it is then remembered for ever. Of two who hear the same at
    once, the second waits for the first one's transaction.
    """
    key = _key(keyring, vendor, signal_id)
    row = {"vendor": vendor, "id_key": key, "heard_at": now, "timeless": timeless}
    return bool(insert_missing(connection, schema.heard_signals, [row]))


def take_turns(connection: Connection, keyring: Keyring, numbers: Iterable[str]) -> None:
    """Let nobody else hear signals about these E.164 numbers before the transaction ends.

    So the later of two words sees what the earlier one has done. On SQLite everybody takes turns anyway.
    """
    if connection.dialect.name != "postgresql":
        return
    for key in sorted(map(keyring.number_key, numbers)):  # in one order, so that no two wait for each other
        lock = int.from_bytes(key[:_LOCK_BYTES], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def _key(keyring: Keyring, vendor: str, signal_id: str) -> bytes:
    digest = keyring.authenticator(_PURPOSE)
    digest.update(f"{vendor}\0{signal_id}".encode("utf-8", "surrogatepass"))
    return digest.digest()[:_BYTES]


TIMELESS: Collection[str] = frozenset(("twilio",))
"""Vendors whose signatures cover no time."""
