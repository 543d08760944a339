"""Which number the opt-out flag of which record is about, and whose flag it is. Numbers appear as keyed hashes only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, bindparam, case, delete, func, select, update

from ..model.blocks import SMS_ALONE, Channel
from ..model.verdicts import OptOut
from . import schema
from .flag_owners import states_of_flags
from .flag_states import COVERING, DERIVED, UP, FlagState
from .holdings import Holding, Key, Raised
from .keyring import Keyring
from .sql import BATCH, Keys, ids_by_object, in_batches, select_among, upsert

_Row = Sequence[Any]
_COLUMNS = (
    schema.opt_out_flags.c.object,
    schema.opt_out_flags.c.record_id,
    schema.opt_out_flags.c.number_key,
    schema.opt_out_flags.c.state,
    schema.opt_out_flags.c.channel,
)

# Made once, because every page and batch asks it.
_FIRST_FEW = select(*_COLUMNS).where(schema.opt_out_flags.c.org_id == bindparam("org_id")).limit(bindparam("most"))


class TakenDown(NamedTuple):
    """What became of flags that are down: the numbers that they covered, and the records on which they are kept up.

    ``kept`` tells for each such record the channels of what somebody asked for and somebody else has cleared.
    """

    freed: set[bytes]
    kept: Mapping[Key, set[Channel]]


class OptOutFlags:
    """The opt-out flags of one org, as one run sees and raises them. Every method works in the caller's transaction.

    A row stands for a number that a flag is about: a flag on a record without numbers leaves none.
    """

    def __init__(self, keyring: Keyring, org_id: int, run_id: str) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._ours = {"org_id": org_id}
        self._run_id = run_id
        self._at_least = 0  # how many rows there were at least when they were last read

    def set_up(self, connection: Connection, holdings: Sequence[Holding]) -> None:
        """Record that the flags of these records are up, also about the numbers that the records held before.

        A flag that is known keeps its state. Of one that is not, the record's slots tell whether ringfence raised it.
        """
        known = self.find_by_channel(connection, [each[:2] for each in holdings])
        lowered = [each for each in holdings if not set().union(*known.get(each[:2], {}).values()).issubset(UP)]
        self._forget_lowered(connection, lowered)

        rows = []
        for holding in holdings:
            for channel, state in states_of_flags(known.get(holding[:2], {}), holding):
                rows += [self._row(holding[:2], number, state, channel) for number in holding.numbers]
        upsert(connection, schema.opt_out_flags, rows, keep=("state", "propagated", "first_seen_run_id"))

        # Where the phone fields are empty, the flag is still about what they held.
        for theirs in self._rows_of([each[:2] for each in holdings if not each.numbers]):
            connection.execute(update(schema.opt_out_flags).where(*theirs).values(last_seen_run_id=self._run_id))

    def set_up_own(self, connection: Connection, records: Sequence[Raised], heirs: AbstractSet[Key]) -> None:
        """Record that ringfence has raised these flags, whatever was known of them before.

        ``heirs`` carry on the opt-out of a record that was merged into them: their flags count as raised by somebody.
        """
        table = schema.opt_out_flags
        alike: defaultdict[frozenset[Channel], list[Key]] = defaultdict(list)
        for each in records:
            alike[each.blocks | each.flags].append(each[:2])
        for channels, keys in alike.items():
            for theirs in self._rows_of(keys):
                named = (table.c.channel.in_(sorted(channels)), table.c.state != FlagState.LIFTED.value)
                connection.execute(delete(table).where(*theirs, *named))

        rows = []
        for each in records:
            state = FlagState.RAISED if each[:2] in heirs else FlagState.DERIVED
            rows += [
                self._row(each[:2], number, state, channel)
                for number in each.numbers
                for channel in sorted(each.blocks)
            ]
        upsert(connection, table, rows)

    def take_down(self, connection: Connection, holdings: Sequence[Holding]) -> TakenDown:
        """Record that flags of these records, which are there, are down: those that their holdings do not bear.

        What people asked for stays in force where the mapping keeps it up. Where the record's slots say that its own
        flag silenced them, it was up, also where the state that knew of it is lost.
        """
        table = schema.opt_out_flags
        freed: set[bytes] = set()
        lowered: defaultdict[str, set[Key]] = defaultdict(set)
        known: set[Key] = set()
        kept: defaultdict[Key, set[Channel]] = defaultdict(set)
        by_record = {each[:2]: each for each in holdings}

        for record, key, state, channel in self._read_rows(connection, list(by_record)):
            known.add(record)
            if state not in UP or by_record[record].is_borne(Channel(channel), derived=state in DERIVED):
                continue
            if state in COVERING and by_record[record].ratchet:
                kept[record].add(Channel(channel))
                continue
            lowered[channel].add(record)
            if state in COVERING:
                freed.add(key)

        down = case((table.c.state == FlagState.DERIVED.value, FlagState.CLEARED.value), else_=FlagState.LIFTED.value)
        for channel, records in lowered.items():
            for rows in self._rows_of(records):
                theirs = (*rows, table.c.channel == channel, table.c.state.in_(UP))
                connection.execute(update(table).where(*theirs).values(state=down))
        told = [each for each in holdings if not each.flagged and each[:2] not in known]
        freed |= self._lift_told(connection, [each for each in told if not each.ratchet])
        for each in told:
            if each.ratchet and each.said is OptOut.OWN:
                again = [self._row(each[:2], number, FlagState.RAISED) for number in each.numbers]
                upsert(connection, table, again)
                kept[each[:2]].add(Channel.ALL)
        return TakenDown(freed, kept)

    def _lift_told(self, connection: Connection, holdings: Sequence[Holding]) -> set[bytes]:
        """Record as lifted what only the slots of the records tell of; return the keys of those numbers."""
        told = [each for each in holdings if each.said is OptOut.OWN]
        rows = [self._row(each[:2], number, FlagState.LIFTED) for each in told for number in each.numbers]
        upsert(connection, schema.opt_out_flags, rows)
        return {self._keyring.number_key(number) for each in told for number in each.numbers}

    def _row(self, record: Key, number: str, state: FlagState, channel: Channel = Channel.ALL) -> dict[str, object]:
        return {
            "org_id": self._org_id,
            "number_key": self._keyring.number_key(number),
            "object": record[0],
            "record_id": record[1],
            "channel": channel.value,
            "state": state.value,
            "propagated": False,
            "first_seen_run_id": self._run_id,
            "last_seen_run_id": self._run_id,
        }

    def _rows_of(self, records: Iterable[Key]) -> Iterator[tuple[ColumnElement[bool], ...]]:
        """Yield the conditions for the rows of these records, some at a time."""
        table = schema.opt_out_flags
        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                yield (table.c.org_id == self._org_id, table.c.object == name, table.c.record_id.in_(some))

    def _forget_lowered(self, connection: Connection, holdings: Sequence[Holding]) -> None:
        """Forget that flags which are up again were lowered, as far as they are about the same numbers."""
        table = schema.opt_out_flags
        for holding in holdings:
            keys = list(map(self._keyring.number_key, holding.numbers))
            for theirs in self._rows_of([holding[:2]]):
                about = (table.c.number_key.in_(keys), table.c.channel.in_(sorted(holding.up)))
                connection.execute(delete(table).where(*theirs, *about, table.c.state.not_in(UP)))

    def find_covered_and_lifted(
        self, connection: Connection, numbers: Collection[str]
    ) -> tuple[dict[str, frozenset[Channel]], frozenset[str]]:
        """Return those numbers that a flag covers with its channels, and those of which the last one was lowered."""
        few = self._read_few(connection, len(numbers) // 2)
        if few is not None and not few:
            return {}, frozenset()

        by_key = {self._keyring.number_key(number): number for number in numbers}
        number_key = schema.opt_out_flags.c.number_key
        covered: defaultdict[str, set[Channel]] = defaultdict(set)
        lifted: set[str] = set()
        for _, _, key, state, channel in few or self._read_among(connection, number_key, list(by_key)):
            if (number := by_key.get(bytes(key))) is None:
                continue  # one of the few that nobody asks about
            if state in COVERING:
                covered[number].add(Channel(channel))
            elif state == FlagState.LIFTED:
                lifted.add(number)

        channels = {number: frozenset(each) for number, each in covered.items()}
        return channels, frozenset(each for each in lifted if channels.get(each, SMS_ALONE) == SMS_ALONE)

    def _read_rows(self, connection: Connection, records: Collection[Key]) -> Iterator[tuple[Key, bytes, str, str]]:
        """Yield the rows of these records: the record, the key of the number, the state and the channel."""
        if not records:
            return
        table = schema.opt_out_flags
        if (few := self._read_few(connection, len(records) // 2)) is not None:
            wanted = set(records) if few else set()
            yield from (
                ((name, record_id), bytes(key), state, channel)
                for name, record_id, key, state, channel in few
                if (name, record_id) in wanted
            )
            return

        for name, ids in ids_by_object(records).items():
            for _, record_id, key, *rest in self._read_among(connection, table.c.record_id, ids, object=name):
                state, channel = rest
                yield (name, record_id), bytes(key), state, channel

    def _read_among(self, connection: Connection, column: Column[Any], among: Keys, **fixed: str) -> Iterable[_Row]:
        """Yield the columns of :meth:`_read_few` of the rows in which a column holds one of many values."""
        return select_among(connection, _COLUMNS, {**self._ours, **fixed}, column, among)

    def _read_few(self, connection: Connection, limit: int) -> Sequence[_Row] | None:
        """Return all rows where they are no more than ``limit``, else None: object, record id, number, state, channel.

        Reading them then takes a quarter of looking each record or number of a page up, and every page and batch is
        looked up. Where there were more the last time, they are not read again: there mostly still are more.
        """
        if limit < self._at_least:
            return None

        rows = connection.execute(_FIRST_FEW, {**self._ours, "most": limit + 1}).all()
        if len(rows) <= limit:
            return rows
        self._at_least = len(rows)
        return None

    def find_covered_keys(
        self, connection: Connection, keys: Sequence[bytes], *, every_way: bool = False
    ) -> set[bytes]:
        """Return those keys, at most :data:`ringfence.core.state.sql.BATCH`, whose number a flag covers.

        With ``every_way`` only flags count that are about every way of contact.
        """
        table = schema.opt_out_flags
        query = select(table.c.number_key).where(
            table.c.org_id == self._org_id, table.c.number_key.in_(keys), table.c.state.in_(COVERING)
        )
        if every_way:
            query = query.where(table.c.channel == Channel.ALL.value)
        return set(connection.scalars(query))

    def find_known(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those keys whose number any flag is about, whatever has become of it."""
        column = schema.opt_out_flags.c.number_key
        return {bytes(key) for (key,) in select_among(connection, [column], self._ours, column, keys)}

    def list_covered_keys(self, connection: Connection, *, all_runs: bool) -> Iterator[Sequence[bytes]]:
        """Yield the keys of all covered numbers in batches.

        Without ``all_runs`` only of those with a flag whose opt-out has not yet reached every holder.
        """
        table = schema.opt_out_flags
        query = select(table.c.number_key).distinct().where(table.c.org_id == self._org_id, table.c.state.in_(COVERING))
        if not all_runs:
            query = query.where(table.c.propagated.is_(False))
        yield from connection.execute(query.execution_options(yield_per=BATCH)).scalars().partitions()

    def find_bearers(self, connection: Connection, numbers: Collection[str]) -> dict[str, Key]:
        """Return for each covered number one record whose flag covers it: (object, record id)."""
        by_key = {self._keyring.number_key(number): number for number in numbers}
        table = schema.opt_out_flags
        found: dict[str, Key] = {}

        for keys in in_batches(list(by_key)):
            rows = connection.execute(
                select(table.c.number_key, table.c.object, func.min(table.c.record_id).label("record_id"))
                .where(table.c.org_id == self._org_id, table.c.number_key.in_(keys), table.c.state.in_(COVERING))
                .group_by(table.c.number_key, table.c.object)
            )
            found.update({by_key[row.number_key]: (row.object, row.record_id) for row in rows})
        return found

    def find_states(self, connection: Connection, records: Iterable[Key]) -> Mapping[Key, set[str]]:
        """Return record -> the states of its rows (:class:`FlagState`), for those of the records that have any."""
        found: defaultdict[Key, set[str]] = defaultdict(set)
        for record, _, state, _ in self._read_rows(connection, list(records)):
            found[record].add(state)
        return dict(found)

    def find_by_channel(self, connection: Connection, records: Iterable[Key]) -> dict[Key, dict[str, set[str]]]:
        """Return the same for each channel by itself."""
        found: dict[Key, dict[str, set[str]]] = {}
        for record, _, state, channel in self._read_rows(connection, list(records)):
            found.setdefault(record, {}).setdefault(channel, set()).add(state)
        return found

    def mark_propagated(self, connection: Connection) -> None:
        """Record that every opt-out so far has reached every holder of its number."""
        table = schema.opt_out_flags
        connection.execute(
            update(table).where(table.c.org_id == self._org_id, table.c.propagated.is_(False)).values(propagated=True)
        )
