"""Which number is covered by the opt-out flag of which record. Numbers appear as keyed hashes only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Connection, delete, func, select, update

from . import schema
from .holdings import Holding, Key
from .keyring import Keyring
from .sql import BATCH, delete_among, ids_by_object, in_batches, select_among, upsert


class OptOutFlags:
    """The opt-out flags of one org, as one run sees and raises them. Every method works in the caller's transaction.

    A row stands for a number that a flag covers: a flag on a record without numbers leaves none.
    """

    def __init__(self, keyring: Keyring, org_id: int, run_id: str) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._ours = {"org_id": org_id}
        self._run_id = run_id
        self._at_least = 0  # how many flags there were at least when they were last read

    def set_up(self, connection: Connection, holdings: Sequence[Holding]) -> None:
        """Record that the flags of these records are up, and cover their numbers beside those they covered before."""
        rows = [
            {
                "org_id": self._org_id,
                "number_key": self._keyring.number_key(number),
                "object": holding.object,
                "record_id": holding.record_id,
                "propagated": False,
                "first_seen_run_id": self._run_id,
                "last_seen_run_id": self._run_id,
            }
            for holding in holdings
            for number in holding.numbers
        ]
        upsert(connection, schema.opt_out_flags, rows, keep=("propagated", "first_seen_run_id"))

        # Where the phone fields are empty, the flag still covers what they held.
        self._note_seen(connection, [each[:2] for each in holdings if not each.numbers])

    def _note_seen(self, connection: Connection, records: Iterable[Key]) -> None:
        table = schema.opt_out_flags
        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                theirs = (table.c.org_id == self._org_id, table.c.object == name, table.c.record_id.in_(some))
                connection.execute(update(table).where(*theirs).values(last_seen_run_id=self._run_id))

    def take_down(self, connection: Connection, records: Sequence[Key]) -> set[bytes]:
        """Record that the flags of these records are down; return the keys of the numbers that they covered."""
        table = schema.opt_out_flags
        freed: set[bytes] = set()
        flagged: dict[str, list[str]] = {}

        for name, ids in ids_by_object(records).items():
            theirs = {**self._ours, "object": name}
            keys = {key for (key,) in select_among(connection, [table.c.number_key], theirs, table.c.record_id, ids)}
            if keys:
                freed |= keys
                flagged[name] = ids

        for name, ids in flagged.items():
            delete_among(connection, {**self._ours, "object": name}, table.c.record_id, ids)
        return freed

    def find_covered(self, connection: Connection, numbers: Collection[str]) -> frozenset[str]:
        """Return those E.164 numbers that a flag covers."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        if (keys := self._read_few(connection, len(by_key) // 2)) is not None:
            return frozenset(by_key[key] for key in by_key.keys() & keys)

        column = schema.opt_out_flags.c.number_key
        found = select_among(connection, [column], self._ours, column, list(by_key))
        return frozenset(by_key[bytes(key)] for (key,) in found)

    def _read_few(self, connection: Connection, limit: int) -> Sequence[bytes] | None:
        """Return the keys of all covered numbers where they are no more than ``limit``, else None.

        Reading them then takes a quarter of looking each of a page's numbers up, and every page and batch is looked
        up. Where there were more the last time, they are not read again: there mostly still are more.
        """
        if limit < self._at_least:
            return None

        table = schema.opt_out_flags
        query = select(table.c.number_key).where(table.c.org_id == self._org_id).limit(limit + 1)
        keys = connection.scalars(query).all()
        if len(keys) <= limit:
            return keys
        self._at_least = len(keys)
        return None

    def find_covered_keys(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those keys, at most :data:`ringfence.core.state.sql.BATCH`, whose number a flag covers."""
        table = schema.opt_out_flags
        query = select(table.c.number_key).where(table.c.org_id == self._org_id, table.c.number_key.in_(keys))
        return set(connection.scalars(query))

    def list_covered_keys(self, connection: Connection, *, all_runs: bool) -> Iterator[Sequence[bytes]]:
        """Yield the keys of all covered numbers in batches.

        Without ``all_runs`` only of those with a flag whose opt-out has not yet reached every holder.
        """
        table = schema.opt_out_flags
        query = select(table.c.number_key).distinct().where(table.c.org_id == self._org_id)
        if not all_runs:
            query = query.where(table.c.propagated.is_(False))
        yield from connection.execute(query.execution_options(yield_per=BATCH)).scalars().partitions()

    def find_bearers(self, connection: Connection, numbers: Collection[str]) -> dict[str, Key]:
        """Return for each covered E.164 number one record whose flag covers it: (object, record id)."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        table = schema.opt_out_flags
        found: dict[str, Key] = {}

        for keys in in_batches(list(by_key)):
            rows = connection.execute(
                select(table.c.number_key, table.c.object, func.min(table.c.record_id).label("record_id"))
                .where(table.c.org_id == self._org_id, table.c.number_key.in_(keys))
                .group_by(table.c.number_key, table.c.object)
            )
            found.update({by_key[row.number_key]: (row.object, row.record_id) for row in rows})
        return found

    def find_flagged(self, connection: Connection, records: Iterable[Key]) -> set[Key]:
        """Return those of the records whose own flag is known to be up."""
        column = schema.opt_out_flags.c.record_id
        flagged: set[Key] = set()
        for name, ids in ids_by_object(records).items():
            own = select_among(connection, [column], {**self._ours, "object": name}, column, ids)
            flagged.update((name, record_id) for (record_id,) in own)
        return flagged

    def forget_unseen(self, connection: Connection, object_name: str) -> set[bytes]:
        """Forget the flags of the object's records that this run has not seen up; return the keys they covered.

        A flag that was seen up goes on covering what its record held before.
        """
        table, seen = schema.opt_out_flags, schema.opt_out_flags.alias("seen")
        seen_up = select(seen.c.record_id).where(
            seen.c.org_id == table.c.org_id,
            seen.c.object == table.c.object,
            seen.c.record_id == table.c.record_id,
            seen.c.last_seen_run_id == self._run_id,
        )
        unseen = (
            table.c.org_id == self._org_id,
            table.c.object == object_name,
            table.c.last_seen_run_id != self._run_id,
            ~seen_up.exists(),
        )

        freed = set(connection.scalars(select(table.c.number_key).where(*unseen).distinct()))
        connection.execute(delete(table).where(*unseen))
        return freed

    def forget_taken_over(self, connection: Connection, records: Iterable[Key]) -> None:
        """Forget the flags of these records as far as another record's flag covers the same number."""
        table, other = schema.opt_out_flags, schema.opt_out_flags.alias("other")
        taken_over = select(other.c.record_id).where(
            other.c.org_id == table.c.org_id,
            other.c.number_key == table.c.number_key,
            (other.c.object != table.c.object) | (other.c.record_id != table.c.record_id),
        )

        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                theirs = (table.c.org_id == self._org_id, table.c.object == name, table.c.record_id.in_(some))
                connection.execute(delete(table).where(*theirs, taken_over.exists()))

    def mark_propagated(self, connection: Connection) -> None:
        """Record that every opt-out so far has reached every holder of its number."""
        table = schema.opt_out_flags
        connection.execute(
            update(table).where(table.c.org_id == self._org_id, table.c.propagated.is_(False)).values(propagated=True)
        )
