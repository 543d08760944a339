"""How far an account has taken in what covers its numbers from outside its CRM: whom that has reached, what has ended.

Flags of its own CRM have states of their own. Of what lies elsewhere nothing here tells when it came or went: so each
run compares what covers now with what earlier runs have found. That holds whatever has changed: an entry that expired,
an account that moved to another ledger, a list that was replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

from sqlalchemy import Connection, select, update

from ..model.blocks import Channel
from . import schema
from .sql import BATCH, in_batches, insert_missing_raw, select_among

_Table = schema.covered_elsewhere
_COLUMNS = ("org_id", "source", "number_key", "channel", "ended", "propagated")

Covered = tuple[bytes, Channel]
"""The key of a number, and the channel by which nobody may contact it."""


class Source(StrEnum):
    """What covers a number; each is compared with what it was by itself."""

    LEDGER = "ledger"  # flags of other accounts, and entries
    LIST = "list"
    RECORD = "record"  # entries about one record each, see wrong_persons: no key here is a number's


class Reach:
    """What one org has taken in of what covers its numbers from elsewhere, by one source.

    Every method works in the caller's transaction. Numbers are known by their keys.
    """

    def __init__(self, org_id: int, source: Source) -> None:
        self._ours = {"org_id": org_id, "source": source.value}
        self._here = (_Table.c.org_id == org_id, _Table.c.source == source.value)
        self._noted: set[Covered] = set()
        self._any_ended: bool | None = None

    def note(self, connection: Connection, covered: Collection[Covered]) -> None:
        """Record that these numbers are covered; those that were not before have yet to reach their holders."""
        new = sorted(set(covered) - self._noted)
        if not new:
            return

        known = self._read(connection, sorted({key for key, _ in new}))
        rows = [(*self._ours.values(), key, channel.value, False, False) for key, channel in new]
        insert_missing_raw(connection, _Table, _COLUMNS, [row for row in rows if (row[2], row[3]) not in known])
        self._mark(connection, [each for each in new if known.get(each)], ended=False)
        self._noted.update(new)

    def take_in(
        self, connection: Connection, covered: AbstractSet[Covered], among: Collection[bytes] | None = None
    ) -> set[bytes]:
        """Record that these numbers are covered and no others; return those that were and are no longer.

        With ``among`` nothing is said of any others than these.
        """
        if among is None:
            query = select(_Table.c.number_key, _Table.c.channel).where(*self._here, _Table.c.ended.is_(False))
            known = {(bytes(key), Channel(channel)) for key, channel in connection.execute(query)}
        else:
            known = {each for each, ended in self._read(connection, sorted(among)).items() if not ended}

        gone = known - covered
        self._end(connection, gone)
        self.note(connection, covered)
        return {key for key, _ in gone}

    def _end(self, connection: Connection, gone: Collection[Covered]) -> None:
        self._mark(connection, sorted(gone), ended=True)
        self._noted.difference_update(gone)
        self._any_ended = None

    def any_ended(self, connection: Connection) -> bool:
        """Return whether there is any number that is covered no longer: mostly there is none, and none is looked up."""
        if self._any_ended is None:
            first = select(_Table.c.number_key).where(*self._here, _Table.c.ended.is_(True)).limit(1)
            self._any_ended = connection.scalar(first) is not None
        return self._any_ended

    def find_ended(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of the numbers that were covered once and are so no longer, in one channel at least."""
        return {key for (key, _), ended in self._read(connection, keys).items() if ended}

    def find_covering(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of the numbers that are covered, as far as it was taken in."""
        return {key for (key, _), ended in self._read(connection, keys).items() if not ended}

    def list_keys(self, connection: Connection, *, all_runs: bool) -> Iterator[Sequence[bytes]]:
        """Yield the covered numbers in batches; without ``all_runs`` those that have yet to reach every holder."""
        query = select(_Table.c.number_key).distinct().where(*self._here, _Table.c.ended.is_(False))
        if not all_runs:
            query = query.where(_Table.c.propagated.is_(False))
        for keys in connection.execute(query.execution_options(yield_per=BATCH)).scalars().partitions():
            yield list(map(bytes, keys))

    def mark_propagated(self, connection: Connection) -> None:
        """Record that every number so far has reached all its holders."""
        connection.execute(update(_Table).where(*self._here, _Table.c.propagated.is_(False)).values(propagated=True))

    def _read(self, connection: Connection, keys: Sequence[bytes]) -> dict[Covered, bool]:
        """Return what is on record of these numbers, and whether it has ended."""
        columns = [_Table.c.number_key, _Table.c.channel, _Table.c.ended]
        found = select_among(connection, columns, self._ours, _Table.c.number_key, keys)
        return {(bytes(key), Channel(channel)): bool(ended) for key, channel, ended in found}

    def _mark(self, connection: Connection, covered: Sequence[Covered], *, ended: bool) -> None:
        for channel in Channel:
            keys = [key for key, each in covered if each is channel]
            for some in in_batches(keys):
                connection.execute(
                    update(_Table)
                    .where(*self._here, _Table.c.channel == channel.value, _Table.c.number_key.in_(some))
                    .values(ended=ended, propagated=False)
                )
