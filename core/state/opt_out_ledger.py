"""Who holds which number, and which numbers are covered by whose opt-out flag. Numbers appear as keyed hashes only."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, func, select, update

from ..ports.services import Clock
from . import schema
from .sql import BATCH, add_plain, delete_among, in_batches, put, select_among
from .store import Store

PROPAGATED = ""
"""In place of the run that first saw a flag, once the flag has reached every holder of the number."""

_MERGED = "merged "
"""In front of the object's name in a row that covers no number, but tells of a record merged away: its opt-out is
being handed over, or was once the row is carried."""

_CHUNK = 50_000
"""Records compared at once with those that a full read has seen."""


class Holding(NamedTuple):
    """One record with the numbers in its phone fields.

    ``flagged`` is None where the flag's value is not known for certain: nothing is then taken back.
    """

    object: str
    record_id: str
    numbers: tuple[str, ...]
    flagged: bool | None


class OptOutLedger:
    """The opt-out ledger of one org."""

    def __init__(self, store: Store, org_id: int, run_id: str, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._org_id = org_id
        self._ours = {"org_id": org_id}
        self._run_id = run_id
        self._seen: dict[str, array[int]] = {}

    def record(self, holdings: Sequence[Holding]) -> None:
        """Take in what records hold and whether their flag is up.

        A number once covered by a record's flag stays covered until that record is seen with its flag down, also when
        the record's number was changed meanwhile: permission only tightens on its own. When the last flag on a number
        goes, every record that holds the number waits to be looked at again, for its slots may speak again.
        """
        with self._store.transaction() as connection:
            self._replace_holdings(connection, holdings)
            freed = self._drop_flags(connection, [h for h in holdings if h.flagged is False])
            self._raise_flags(connection, [h for h in holdings if h.flagged])
            self._queue_holders(connection, freed)

    def raise_flags(self, records: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
        """Take in that ringfence has raised the flag of these records: (object, record id, its numbers)."""
        if not records:
            return
        with self._store.transaction() as connection:
            self._raise_flags(connection, [Holding(*record, flagged=True) for record in records])

    def covered(self, numbers: Collection[str]) -> frozenset[str]:
        """Return those E.164 numbers that a flag covers."""
        by_key = {self._store.keyring.number_key(number): number for number in numbers}
        column = schema.flags.c.number_key
        few = len(by_key) // 2
        with self._store.transaction() as connection:
            # Where few numbers are covered at all, reading them takes a quarter of looking each of a page's up.
            all_of_them = select(column).where(schema.flags.c.org_id == self._org_id).limit(few + 1)
            keys = connection.scalars(all_of_them).all()
            if len(keys) <= few:
                return frozenset(by_key[key] for key in by_key.keys() & keys)
            found = select_among(connection, [column], self._ours, column, list(by_key))
            return frozenset(by_key[bytes(key)] for (key,) in found)

    def bearers(self, numbers: Collection[str]) -> dict[str, tuple[str, str]]:
        """Return for each covered E.164 number one record whose flag covers it: (object, record id)."""
        by_key = {self._store.keyring.number_key(number): number for number in numbers}
        table = schema.flags
        found: dict[str, tuple[str, str]] = {}
        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                rows = connection.execute(
                    select(table.c.number_key, table.c.object, func.min(table.c.record_id).label("record_id"))
                    .where(table.c.org_id == self._org_id, table.c.number_key.in_(keys))
                    .group_by(table.c.number_key, table.c.object)
                )
                found.update({by_key[row.number_key]: (row.object, row.record_id) for row in rows})
        return found

    def count_holders(self, numbers: Collection[str]) -> dict[str, int]:
        """Return how many records hold each of the E.164 numbers."""
        by_key = {self._store.keyring.number_key(number): number for number in numbers}
        table = schema.holdings
        counts = dict.fromkeys(numbers, 0)
        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                rows = connection.execute(
                    select(table.c.number_key, func.count().label("holders"))
                    .where(table.c.org_id == self._org_id, table.c.number_key.in_(keys))
                    .group_by(table.c.number_key)
                )
                counts.update({by_key[row.number_key]: row.holders for row in rows})
        return counts

    def count_records(self, object_name: str) -> int:
        """Return how many records of the object are known to hold a number."""
        table = schema.holdings
        with self._store.transaction() as connection:
            return (
                connection.scalar(
                    select(func.count(table.c.record_id.distinct())).where(
                        table.c.org_id == self._org_id, table.c.object == object_name
                    )
                )
                or 0
            )

    def begin_full_read(self, objects: Iterable[str]) -> None:
        """Note from now on which records of these objects are seen, for :meth:`forget_unseen`."""
        # Eight bytes a record; nothing where nothing is known that could be gone.
        self._seen = {name: array("q") for name in objects if self.count_records(name)}

    def forget_unseen(self, object_name: str) -> None:
        """Drop the flags of an object's records that this run, which has read them all, has not seen up.

        A flag that was seen up goes on covering what its record held before. Where all were read in this very run
        (:meth:`begin_full_read`), those that were not seen hold nothing any more.
        """
        table, seen = schema.flags, schema.flags.alias("seen")
        seen_up = select(seen.c.record_id).where(
            seen.c.org_id == table.c.org_id,
            seen.c.object == table.c.object,
            seen.c.record_id == table.c.record_id,
            seen.c.seen_run_id == self._run_id,
        )
        unseen = (
            table.c.org_id == self._org_id,
            table.c.object.in_([object_name, _MERGED + object_name]),
            table.c.seen_run_id != self._run_id,
            ~seen_up.exists(),
        )
        with self._store.transaction() as connection:
            freed = set(connection.scalars(select(table.c.number_key).where(*unseen).distinct()))
            connection.execute(delete(table).where(*unseen))
            if (ids := self._seen.pop(object_name, None)) is not None:
                self._forget_other_holders(connection, object_name, ids)
            self._queue_holders(connection, freed)

    def _forget_other_holders(self, connection: Connection, object_name: str, ids: array[int]) -> None:
        table = schema.holdings
        held = select(table.c.record_id).where(table.c.org_id == self._org_id, table.c.object == object_name)
        last = ""
        while some := connection.scalars(
            held.where(table.c.record_id > last).distinct().order_by(table.c.record_id).limit(_CHUNK)
        ).all():
            last = some[-1]
            by_hash = {hash(record_id): record_id for record_id in some}
            gone = [by_hash[each] for each in set(by_hash).difference(ids)]
            delete_among(connection, {**self._ours, "object": object_name}, table.c.record_id, gone)

    def holders(self, number: str, limit: int) -> list[tuple[str, str]]:
        """Return records that hold the E.164 number, (object, record id) each, at most so many."""
        table = schema.holdings
        theirs = (table.c.org_id == self._org_id, table.c.number_key == self._store.keyring.number_key(number))
        query = select(table.c.object, table.c.record_id).where(*theirs)
        query = query.order_by(table.c.object, table.c.record_id).limit(limit)
        with self._store.transaction() as connection:
            return [(row.object, row.record_id) for row in connection.execute(query)]

    def forget_holders(self, records: Iterable[tuple[str, str]]) -> None:
        """Take in that these records, (object, record id) each, are gone and hold nothing."""
        with self._store.transaction() as connection:
            self._delete_rows(connection, schema.holdings, [Holding(*key, (), flagged=None) for key in records])

    def unflagged_holders(self, *, all_runs: bool) -> dict[tuple[str, str], int]:
        """Return the records that hold covered numbers and no known flag of their own, with how many such numbers each.

        Without ``all_runs`` only numbers count whose opt-out has not yet reached every holder
        (:meth:`mark_propagated`).
        """
        flags, holdings = schema.flags, schema.holdings
        covered = select(flags.c.number_key).distinct().where(flags.c.org_id == self._org_id)
        if not all_runs:
            covered = covered.where(flags.c.run_id != PROPAGATED)
        counts: Counter[tuple[str, str]] = Counter()
        # Step by step: as one statement, SQLite goes through what every record holds to find the few.
        with self._store.transaction() as connection:
            for keys in connection.execute(covered.execution_options(yield_per=BATCH)).scalars().partitions():
                columns = [holdings.c.object, holdings.c.record_id]
                found = select_among(connection, columns, self._ours, holdings.c.number_key, keys)
                holders = [(name, record_id) for name, record_id in found]
                own = self._flagged_among(connection, holders)
                counts.update(holder for holder in holders if holder not in own)
        return dict(counts)

    def _flagged_among(self, connection: Connection, records: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        table = schema.flags
        flagged: set[tuple[str, str]] = set()
        for name, ids in groupby(sorted(records), key=itemgetter(0)):
            theirs = {**self._ours, "object": name}
            own = select_among(
                connection, [table.c.record_id], theirs, table.c.record_id, [record_id for _, record_id in ids]
            )
            flagged.update((name, record_id) for (record_id,) in own)
        return flagged

    def hand_over(self, records: Iterable[tuple[str, str]]) -> None:
        """Take in that these records, (object, record id) each, were merged away.

        Nobody can lower their flags any more. So they are forgotten once others have taken the opt-out over
        (:meth:`mark_propagated`), in this run or a later one. Where nobody has, they stay and the number stays covered.
        """
        gone = list(records)
        with self._store.transaction() as connection:
            self._keep_marks(connection, gone, self._run_id)
            self._delete_rows(connection, schema.holdings, [Holding(*key, (), flagged=None) for key in gone])

    def handed_over(self, records: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of the records, merged away, whose opt-out was handed over before: that happens once, so that a
        person may lift it afterwards.
        """
        by_key = {self._mark(*record): record for record in records}
        table = schema.flags
        found: set[tuple[str, str]] = set()
        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                query = select(table.c.number_key).where(
                    table.c.org_id == self._org_id, table.c.number_key.in_(keys), table.c.run_id == PROPAGATED
                )
                found.update(by_key[key] for key in connection.scalars(query))
            self._keep_marks(connection, found, PROPAGATED)
        return found

    def mark_propagated(self) -> None:
        """Take in that every holder of every covered number has been dealt with.

        Until then a run that ends early (killed, a limit, an outage) leaves the rest to the next one.
        """
        table = schema.flags
        with self._store.transaction() as connection:
            self._forget_gone(connection)
            connection.execute(
                update(table)
                .where(table.c.org_id == self._org_id, table.c.run_id != PROPAGATED)
                .values(run_id=PROPAGATED)
            )

    def _forget_gone(self, connection: Connection) -> None:
        flags, other = schema.flags, schema.flags.alias("other")
        taken_over = (
            select(other.c.record_id)
            .where(
                other.c.org_id == flags.c.org_id,
                other.c.number_key == flags.c.number_key,
                (other.c.object != flags.c.object) | (other.c.record_id != flags.c.record_id),
            )
            .exists()
        )
        handing_over = select(flags.c.object, flags.c.record_id).where(
            flags.c.org_id == self._org_id, flags.c.object.startswith(_MERGED), flags.c.run_id != PROPAGATED
        )
        gone = [
            Holding(row.object.removeprefix(_MERGED), row.record_id, (), flagged=None)
            for row in connection.execute(handing_over)
        ]
        for name, ids in _by_object(gone).items():
            for some in in_batches(ids):
                theirs = (flags.c.org_id == self._org_id, flags.c.object == name, flags.c.record_id.in_(some))
                connection.execute(delete(flags).where(*theirs, taken_over))

    def _mark(self, object_name: str, record_id: str) -> bytes:
        """Return what stands in place of a number where a record's opt-out is being, or has been, handed over."""
        return self._store.keyring.number_key(f"merged {object_name} {record_id}")

    def _keep_marks(self, connection: Connection, records: Iterable[tuple[str, str]], run_id: str) -> None:
        common = {"org_id": self._org_id, "run_id": run_id, "seen_run_id": self._run_id}
        rows = [
            {**common, "number_key": self._mark(name, record_id), "object": _MERGED + name, "record_id": record_id}
            for name, record_id in sorted(records)
        ]
        put(connection, schema.flags, rows, keep=("run_id",))

    def _replace_holdings(self, connection: Connection, holdings: Sequence[Holding]) -> None:
        """Write what differs only: a record that comes again mostly holds what it held."""
        there = self._read_holdings(connection, holdings)
        gone: list[Holding] = []
        new: list[tuple[int, bytes, str, str]] = []
        number_key, org_id = self._store.keyring.number_key, self._org_id
        for holding in holdings:
            name, record_id, numbers, _ = holding
            keys = set(map(number_key, numbers))
            if held := there.get((name, record_id)):
                if held <= keys:
                    keys -= held
                else:
                    gone.append(holding)
            new += [(org_id, key, name, record_id) for key in keys]
        self._delete_rows(connection, schema.holdings, gone)
        add_plain(connection, schema.holdings, ("org_id", "number_key", "object", "record_id"), new)

    def _read_holdings(self, connection: Connection, holdings: Sequence[Holding]) -> dict[tuple[str, str], set[bytes]]:
        table = schema.holdings
        found: defaultdict[tuple[str, str], set[bytes]] = defaultdict(set)
        for name, ids in _by_object(holdings).items():
            if (seen := self._seen.get(name)) is not None:
                seen.extend(map(hash, ids))
            columns, theirs = [table.c.record_id, table.c.number_key], {**self._ours, "object": name}
            for record_id, key in select_among(connection, columns, theirs, table.c.record_id, ids):
                found[name, record_id].add(key)
        return found

    def _drop_flags(self, connection: Connection, holdings: Sequence[Holding]) -> set[bytes]:
        """Drop the records' flags and return the keys of the numbers that they covered."""
        table = schema.flags
        freed: set[bytes] = set()
        for name, ids in _by_object(holdings).items():
            theirs = {**self._ours, "object": name}
            rows = select_among(connection, [table.c.number_key], theirs, table.c.record_id, ids)
            freed.update(key for (key,) in rows)
        if freed:
            self._delete_rows(connection, table, holdings)
        return freed

    def _queue_holders(self, connection: Connection, freed: Collection[bytes]) -> None:
        """Let the holders of those numbers wait that no flag covers any more."""
        flags, holders = schema.flags, schema.holdings
        for keys in in_batches(list(freed)):
            still = flags.c.number_key.in_(keys)
            covered = set(connection.scalars(select(flags.c.number_key).where(flags.c.org_id == self._org_id, still)))
            rows = connection.execute(
                select(holders.c.object, holders.c.record_id)
                .where(
                    holders.c.org_id == self._org_id, holders.c.number_key.in_([k for k in keys if k not in covered])
                )
                .distinct()
            )
            put(connection, schema.pending, [self._waiting(row.object, row.record_id) for row in rows])

    def _waiting(self, object_name: str, record_id: str) -> dict[str, object]:
        return {
            "org_id": self._org_id,
            "object": object_name,
            "record_id": record_id,
            "reason": "permission",
            "code": "",
            "message": "",
            "run_id": self._run_id,
            "since": self._clock.now(),
        }

    def _raise_flags(self, connection: Connection, holdings: Sequence[Holding]) -> None:
        rows = [{**row, "run_id": self._run_id, "seen_run_id": self._run_id} for row in self._rows(holdings)]
        put(connection, schema.flags, rows, keep=("run_id",))
        # Where the phone fields are empty, the flag still covers what they held.
        for name, ids in _by_object(h for h in holdings if not h.numbers).items():
            for some in in_batches(ids):
                theirs = (schema.flags.c.org_id == self._org_id, schema.flags.c.object == name)
                connection.execute(
                    update(schema.flags)
                    .where(*theirs, schema.flags.c.record_id.in_(some))
                    .values(seen_run_id=self._run_id)
                )

    def _rows(self, holdings: Iterable[Holding]) -> list[dict[str, object]]:
        key = self._store.keyring.number_key
        return [
            {"org_id": self._org_id, "number_key": key(number), "object": h.object, "record_id": h.record_id}
            for h in holdings
            for number in h.numbers
        ]

    def _delete_rows(self, connection: Connection, table: Table, holdings: Sequence[Holding]) -> None:
        for object_name, ids in _by_object(holdings).items():
            delete_among(connection, {**self._ours, "object": object_name}, table.c.record_id, ids)


def _by_object(holdings: Iterable[Holding]) -> dict[str, list[str]]:
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for name, record_id, _, _ in holdings:
        ids[name].append(record_id)
    return ids
