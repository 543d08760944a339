"""The marks of numbers that were erased: nothing that comes by later may bring such a number back.

A mark is a keyed hash, and all that is left. It keeps lookups from being bought, answers from being kept, and values
from staying in the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ..model.values import Change, Value
from ..numbers.traces import find_digits, national_part, national_spellings
from . import schema
from .keyring import Keyring
from .sql import in_batches, insert_missing
from .store import Store

_FEWEST_DIGITS = 5
_Table = schema.erased_numbers
_FIRST = select(_Table.c.number_key).limit(1)  # made once, because every batch asks it


def mark_erased(connection: Connection, keyring: Keyring, e164: str, now: datetime) -> bool:
    """Put the mark of a number on record; return whether it is new. ``now`` is UTC."""
    national = keyring.number_key(national_part(e164))
    row = {"number_key": keyring.number_key(e164), "national_key": national, "erased_at": now}
    return bool(insert_missing(connection, _Table, [row]))


def erased_since(connection: Connection, keyring: Keyring, e164: str) -> datetime | None:
    """Return when a number was erased (UTC); None where it was not."""
    return connection.scalar(select(_Table.c.erased_at).where(_Table.c.number_key == keyring.number_key(e164)))


def find_erased(store: Store, numbers: Collection[str]) -> frozenset[str]:
    """Return those of the E.164 numbers that were erased."""
    if not numbers:
        return frozenset()
    with store.transaction() as connection:
        return find_erased_among(connection, store.keyring, numbers)


def find_erased_among(connection: Connection, keyring: Keyring, numbers: Collection[str]) -> frozenset[str]:
    """Return those of the E.164 numbers that were erased, in the caller's transaction."""
    # Mostly none ever was, and then nothing has to be looked up.
    if not numbers or connection.scalar(_FIRST) is None:
        return frozenset()
    by_key = {keyring.number_key(number): number for number in numbers}
    found = [
        bytes(key)
        for keys in in_batches(list(by_key))
        for key in connection.scalars(select(_Table.c.number_key).where(_Table.c.number_key.in_(keys)))
    ]
    return frozenset(by_key[key] for key in found)


def was_any_erased(store: Store) -> bool:
    """Return whether any number was ever erased: mostly none was."""
    with store.transaction() as connection:
        return connection.execute(select(_Table.c.number_key).limit(1)).first() is not None


class ErasedNumbers:
    """All marks of a store as they were at one moment: tells which values hold a number that was erased."""

    def __init__(self, store: Store) -> None:
        self._key_of = store.keyring.number_key
        with store.transaction() as connection:
            rows = connection.execute(select(_Table.c.number_key, _Table.c.national_key)).all()
        self._whole = {bytes(row.number_key) for row in rows}
        self._national = {bytes(row.national_key) for row in rows}

    def any(self) -> bool:
        """Return whether there is any mark at all."""
        return bool(self._whole)

    def without(self, changes: Sequence[Change]) -> list[Change] | None:
        """Return the changes, those about an erased number without their values; None where there is none."""
        if not self.any():
            return None
        places = {place for place, change in enumerate(changes) if self._is_in(change)}
        if not places:
            return None
        return [change.without_values() if place in places else change for place, change in enumerate(changes)]

    def _is_in(self, change: Change) -> bool:
        return any(self.hold(text) for text in texts_of(change))

    def hold(self, text: str) -> bool:
        """Return whether a text is one of the erased numbers, however it is written."""
        digits = find_digits(text)
        if len(digits) < _FEWEST_DIGITS:
            return False
        if self._key_of(f"+{digits}") in self._whole:
            return True
        return any(self._key_of(each) in self._national for each in national_spellings(digits))


def texts_of(change: Change) -> Iterable[str]:
    """Return all texts that a change holds: what was there, what is written, and what must be there."""
    values: list[Value] = [*change.old, *change.new, *change.guard.values()]
    return [value for value in values if isinstance(value, str)]
