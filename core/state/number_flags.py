"""What an org's state knows of the opt-out flags about one number: for the lift that ends them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, update

from . import schema
from .flag_states import COVERING, UP, FlagState, object_of_consent
from .holdings import Holdings, Key
from .keyring import Keyring
from .sql import ids_by_object, in_batches, select_among

_Table = schema.opt_out_flags
Flagged = tuple[int, str, str]
"""A record of any account: the state's own id of its org, object, record id."""


class NumberFlags:
    """The flags of one org about a number, given by the keys that it may stand under, and who holds it.

    Every method works in the caller's transaction. A record is named by (object, record id).
    """

    def __init__(self, keyring: Keyring, org_id: int, numbers: Collection[str]) -> None:
        self._org_id = org_id
        self._keyring = keyring
        self._keys = [keyring.number_key(number) for number in numbers]
        self._holdings = Holdings(keyring, org_id)
        self._about = (_Table.c.org_id == org_id, _Table.c.number_key.in_(self._keys))

    def find_holders(self, connection: Connection) -> set[Key]:
        """Return the records that hold the number."""
        return set(self._holdings.find_holders_by_key(connection, self._keys))

    def find_records(self, connection: Connection) -> set[Key]:
        """Return the records with a flag that is up and about the number, also where they hold it no more."""
        rows = connection.execute(
            select(_Table.c.object, _Table.c.record_id).where(*self._about, _Table.c.state.in_(UP))
        )
        return {(name, record_id) for name, record_id in rows}

    def find_withdrawn(self, connection: Connection) -> list[Key]:
        """Return the records on which consent to calls at the number is withdrawn."""
        found = ((object_of_consent(name), record_id) for name, record_id in self.find_records(connection))
        return sorted({key for key in found if key[0]})

    def find_sources(self, connection: Connection, records: Iterable[Key]) -> set[Key]:
        """Return those of the records whose flag somebody raised, or that carries another's opt-out on."""
        found: set[Key] = set()
        columns = [_Table.c.record_id, _Table.c.state]
        for name, ids in ids_by_object(records).items():
            ours = {"org_id": self._org_id, "object": name}
            rows = select_among(connection, columns, ours, _Table.c.record_id, ids)
            found.update((name, record_id) for record_id, state in rows if state in COVERING)
        return found

    def lift(self, connection: Connection, but: Collection[Key] = ()) -> None:
        """Record that somebody has lifted the opt-out on the number, whatever was known of its flags.

        Flags of the records in ``but`` are still up, and stay as they are.
        """
        known = connection.execute(select(_Table.c.object, _Table.c.record_id).where(*self._about).distinct())
        for name, ids in ids_by_object({(name, record_id) for name, record_id in known}.difference(but)).items():
            for some in in_batches(ids):
                theirs = (*self._about, _Table.c.object == name, _Table.c.record_id.in_(some))
                connection.execute(update(_Table).where(*theirs).values(state=FlagState.LIFTED.value))

    def derive(self, connection: Connection, records: Collection[Key]) -> None:
        """Record that the flags of these records stay up for another opt-out's sake, and cover nobody any more."""
        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                theirs = (_Table.c.org_id == self._org_id, _Table.c.object == name, _Table.c.record_id.in_(some))
                connection.execute(
                    update(_Table).where(*theirs, _Table.c.state.in_(COVERING)).values(state=FlagState.DERIVED.value)
                )

    def find_covered(self, connection: Connection, numbers: Collection[str], without: Collection[Flagged]) -> set[str]:
        """Return those of some numbers that a flag covers in an account of the org's ledger and kind.

        The flags of the records ``without`` do not count.
        """
        orgs = schema.orgs
        own = connection.execute(select(orgs.c.ledger, orgs.c.production).where(orgs.c.id == self._org_id)).one()
        same = (orgs.c.ledger == own.ledger, orgs.c.production == own.production)
        ids = connection.scalars(select(orgs.c.id).where(*same)).all()

        by_key = {self._keyring.number_key(number): number for number in numbers}
        columns = [_Table.c.object, _Table.c.record_id, _Table.c.number_key, _Table.c.state]
        found: set[str] = set()
        for each in ids:
            rows = select_among(connection, columns, {"org_id": each}, _Table.c.number_key, list(by_key))
            found.update(
                by_key[bytes(key)]
                for name, record_id, key, state in rows
                if state in COVERING and (each, name, record_id) not in without
            )
        return found
