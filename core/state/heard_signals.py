"""Which signals were heard: the same one told again does nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, func, select, update
from sqlalchemy.types import ARRAY

from . import schema
from .keyring import Keyring
from .sql import in_batches, insert_missing_of, raw_moment

_PURPOSE = "heard-signal"
_BYTES = 16
_LOCK_BYTES = 8
_Table = schema.heard_signals
_COLUMNS = ("vendor", "id_key", "heard_at", "timeless")

_LOCKS = func.unnest(bindparam("locks", type_=ARRAY(BigInteger))).column_valued("lock")
_LOCK_ALL = select(func.pg_advisory_xact_lock(_LOCKS))


Named = tuple[str, str]
"""The vendor of a signal, and the id by which the vendor knows it."""


def hear(
    connection: Connection, keyring: Keyring, vendor: str, signal_id: str, now: datetime, *, timeless: bool
) -> bool:
    """Put a signal on record as heard at the moment ``now`` (UTC), and return whether it is new.

    ``timeless`` tells that its signature covers no time: it is then remembered for ever. Of two who hear the same at
    once, the second waits for the first one's transaction.
    """
    return bool(hear_all(connection, keyring, [(vendor, signal_id)], now, [timeless]))


def hear_all(
    connection: Connection, keyring: Keyring, named: Sequence[Named], now: datetime, timeless: Sequence[bool]
) -> frozenset[int]:
    """Do for many signals what :func:`hear` does for one; return the places of those that are new.

    Of several that are the same the first one is new. What was heard before, and is timeless now, is remembered for
    ever from now on.
    """
    first: dict[tuple[str, bytes], int] = {}
    for place, (vendor, signal_id) in enumerate(named):
        first.setdefault((vendor, _key(keyring, vendor, signal_id)), place)
    heard_at = raw_moment(connection, now)
    rows = [(vendor, key, heard_at, timeless[place]) for (vendor, key), place in first.items()]

    added = insert_missing_of(connection, _Table, _COLUMNS, rows, ("vendor", "id_key"))
    new = {(vendor, bytes(key)) for vendor, key in added}
    _keep_for_ever(connection, [name for name, place in first.items() if name not in new and timeless[place]])
    return frozenset(first[name] for name in new)


def find_heard(connection: Connection, keyring: Keyring, named: Sequence[Named]) -> frozenset[int]:
    """Return the places of those signals that were heard before; nothing is put on record."""
    keys = [(vendor, _key(keyring, vendor, signal_id)) for vendor, signal_id in named]
    heard: set[tuple[str, bytes]] = set()
    for vendor in {vendor for vendor, _ in keys}:
        for some in in_batches([key for whose, key in keys if whose == vendor]):
            theirs = select(_Table.c.id_key).where(_Table.c.vendor == vendor, _Table.c.id_key.in_(some))
            heard.update((vendor, bytes(key)) for key in connection.scalars(theirs))
    return frozenset(place for place, name in enumerate(keys) if name in heard)


def _keep_for_ever(connection: Connection, names: Sequence[tuple[str, bytes]]) -> None:
    for vendor in {vendor for vendor, _ in names}:
        for some in in_batches([key for whose, key in names if whose == vendor]):
            passing = (_Table.c.vendor == vendor, _Table.c.id_key.in_(some), _Table.c.timeless.is_(False))
            connection.execute(update(_Table).where(*passing).values(timeless=True))


def take_turns(connection: Connection, keyring: Keyring, numbers: Iterable[str]) -> None:
    """Let nobody else hear signals about these E.164 numbers before the transaction ends.

    So the later of two words sees what the earlier one has done. On SQLite everybody takes turns anyway.
    """
    if connection.dialect.name != "postgresql":
        return
    locks = sorted({int.from_bytes(keyring.number_key(each)[:_LOCK_BYTES], signed=True) for each in numbers})
    if locks:  # in one order, so that no two wait for each other
        connection.execute(_LOCK_ALL, {"locks": locks})


def _key(keyring: Keyring, vendor: str, signal_id: str) -> bytes:
    digest = keyring.authenticator(_PURPOSE)
    digest.update(f"{vendor}\0{signal_id}".encode("utf-8", "surrogatepass"))
    return digest.digest()[:_BYTES]


TIMELESS: Collection[str] = frozenset(("twilio",))
"""Vendors whose signatures cover no time."""
