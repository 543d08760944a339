"""Checks that somebody asked for: on record, encrypted and each number once, until a provider was asked about it.

The jobs that carry them out hold no number; they find here what to ask about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from . import schema
from .intakes import Intake, await_intake, hold_intake
from .keyring import Keyring
from .sql import in_batches, upsert

_Table = schema.asked_checks


def ask_checks(connection: Connection, keyring: Keyring, numbers: Collection[str], now: datetime) -> None:
    """Put E.164 numbers on record as asked about at the moment ``now`` (UTC); one that is there begins anew.

    The job that carries them out is put on record behind this, in the same transaction.
    """
    hold_intake(connection, Intake.CHECKS)
    rows = [
        {"number_key": key, "asked_at": now, "tries": 0, "payload": keyring.seal([number], check_about(key))}
        for number in dict.fromkeys(numbers)
        for key in [keyring.number_key(number)]
    ]
    upsert(connection, _Table, rows)


def list_asked(connection: Connection, keyring: Keyring, limit: int, *, again: bool) -> list[str]:
    """Return the E.164 numbers that wait, the oldest first: those never tried, or ``again`` those tried in vain."""
    await_intake(connection, Intake.CHECKS)
    tried = _Table.c.tries > 0 if again else _Table.c.tries == 0
    query = select(_Table.c.number_key, _Table.c.payload).where(tried).order_by(_Table.c.asked_at, _Table.c.number_key)
    rows = connection.execute(query.limit(limit))
    return [str(keyring.open(bytes(row.payload), check_about(bytes(row.number_key)))[0]) for row in rows]


def has_untried(connection: Connection, before: datetime) -> bool:
    """Return whether numbers that were asked about by that moment (UTC) wait and were never tried."""
    query = select(exists().where(_Table.c.tries == 0, _Table.c.asked_at <= before))
    return bool(connection.scalar(query))


def find_waiting(connection: Connection, keyring: Keyring, numbers: Collection[str]) -> dict[str, int]:
    """Return E.164 number -> how often providers were asked about it in vain, for those of the numbers that wait."""
    by_key = {keyring.number_key(number): number for number in numbers}
    found: dict[str, int] = {}
    for some in in_batches(list(by_key)):
        query = select(_Table.c.number_key, _Table.c.tries).where(_Table.c.number_key.in_(some))
        found.update((by_key[bytes(row.number_key)], row.tries) for row in connection.execute(query))
    return found


def settle_checks(connection: Connection, keyring: Keyring, numbers: Collection[str]) -> None:
    """Forget that somebody asked about these E.164 numbers: there is an answer, or none is wanted."""
    hold_intake(connection, Intake.CHECKS)  # before any row is: what is held in one order is never held in a circle
    for some in _keys(keyring, numbers):
        connection.execute(delete(_Table).where(_Table.c.number_key.in_(some)))


def note_tried(connection: Connection, keyring: Keyring, numbers: Collection[str]) -> int:
    """Record that providers were asked about these E.164 numbers in vain; return the most times that any was."""
    hold_intake(connection, Intake.CHECKS)
    most = 0
    for some in _keys(keyring, numbers):
        these = _Table.c.number_key.in_(some)
        connection.execute(update(_Table).where(these).values(tries=_Table.c.tries + 1))
        most = max(most, *connection.scalars(select(_Table.c.tries).where(these)), 0)
    return most


def forget_asked(connection: Connection, before: datetime) -> int:
    """Forget what was asked before that moment (UTC): nobody waits for it any more. Return how many."""
    return connection.execute(delete(_Table).where(_Table.c.asked_at < before)).rowcount


def find_asked(connection: Connection, number_key: bytes) -> datetime | None:
    """Return when somebody asked about the number with that key and has no answer; None where nobody did."""
    return connection.scalar(select(_Table.c.asked_at).where(_Table.c.number_key == number_key))


def forget_check(connection: Connection, number_key: bytes) -> int:
    """Forget that somebody asked about the number with that key; return 1 where somebody did, else 0."""
    return connection.execute(delete(_Table).where(_Table.c.number_key == number_key)).rowcount


def check_about(number_key: bytes) -> bytes:
    """Return what the payload of a check is bound to."""
    return b"asked check " + number_key


def _keys(keyring: Keyring, numbers: Collection[str]) -> Sequence[Sequence[Any]]:
    # In one order, so that two processes never wait for each other in a circle.
    return list(in_batches(sorted(keyring.number_key(number) for number in numbers)))
