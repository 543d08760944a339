"""Opt-outs carried to every record that holds the number, also to fresh ones and to those outside the filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from ..decisions.due import DueReason
from ..decisions.due_record import Item
from ..model.record_view import Reading
from ..model.shapes import ObjectShape
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.opt_out_ledger import Permissions
from ..state.pending import Pending, PendingReason, PendingRow
from .intake import observe

Key = tuple[str, str]

_FIRST: Key = ("", "")


class Examiner(Protocol):
    """Tells which slots of a record are due in this run, and accounts for a record that needs nothing."""

    def find_due(self, reading: Reading, covered: frozenset[str]) -> dict[str, DueReason]:
        """Return the record's due slots by field name; ``covered`` holds the numbers that an opt-out covers."""
        ...

    def skip(self, reading: Reading) -> None:
        """Count a record that needs nothing."""
        ...


class Enforcement:
    """The last part of a run: works through the records that an opt-out reaches, until none is left.

    Raising a flag covers the other numbers of that record too, so new records may be reached on the way. ``all_read``
    tells that the run has read every record, and so knows who holds what.
    """

    def __init__(
        self,
        crm: Crm,
        shapes: Mapping[str, ObjectShape],
        permissions: Permissions,
        pending: Pending,
        examiner: Examiner,
        clock: Clock,
        *,
        confirm_spread: bool,
        hold_flags: bool = False,
        all_read: bool = False,
    ) -> None:
        self._crm = crm
        self._shapes = shapes
        self._permissions = permissions
        self._pending = pending
        self._examiner = examiner
        self._clock = clock
        self._confirm_spread = confirm_spread
        self._hold_flags = hold_flags
        self._counts_stand = confirm_spread or hold_flags or all_read
        self._counted: set[tuple[str, int]] = set()
        self._confirmed: set[str] = set()
        self._raised: set[Key] = set()
        self._reached: dict[Key, int] = {}
        self._spread: dict[str, int] = {}

    @property
    def switchboards(self) -> dict[str, int]:
        """Return the reached E.164 numbers that more records hold than may be flagged unasked, with how many do."""
        return {} if self._confirm_spread else dict(self._spread)

    def items(self, batch: int) -> Iterator[list[Item]]:
        """Yield batches of records to process; each must be processed before the next is asked for."""
        if self._hold_flags:
            self._find_reached()
            yield from self._silence(batch)
            return
        while self._find_reached():
            yield from (items for _, items in self._waiting(batch) if items)
        self._leave_unwritten()
        self._permissions.mark_carried()

    def _silence(self, batch: int) -> Iterator[list[Item]]:
        """Yield the records with what silences their slots; all go on waiting for the run that may raise flags."""
        for rows, items in self._waiting(batch):
            if items:
                yield items
            self._enqueue((row.object, row.record_id) for row in rows)

    def _waiting(self, batch: int) -> Iterator[tuple[Sequence[PendingRow], list[Item]]]:
        after = _FIRST
        while rows := self._next(after, batch):
            after = (rows[-1].object, rows[-1].record_id)
            yield rows, self._decide(rows)

    def _next(self, after: Key, limit: int) -> Sequence[PendingRow]:
        # What is not in this run's mapping goes on waiting for a run that has it.
        return self._pending.next(after, limit, PendingReason.PERMISSION, objects=self._shapes)

    def _find_reached(self) -> bool:
        """Queue the records newly reached, and tell whether any wait."""
        holders = self._permissions.unflagged_holders(all_runs=self._confirm_spread)
        # A record comes again only when one more of its numbers is covered than when it was last looked at.
        new = [key for key, numbers in holders.items() if self._reached.get(key, 0) < numbers]
        self._reached.update((key, holders[key]) for key in new)
        unwritten = self._find_unwritten(new)
        self._enqueue(key for key in new if key not in unwritten)
        return bool(self._next(_FIRST, 1))

    def _find_unwritten(self, keys: Iterable[Key]) -> set[Key]:
        """Return the records of which the CRM did not take this run's change: one try a run is enough."""
        left = self._pending.left(keys)
        return {key for key, reason in left.items() if reason is not PendingReason.DEFERRED}

    def _leave_unwritten(self) -> None:
        """Leave the reached records that could not be written to the next run, also where that ends by its budget."""
        self._enqueue(self._find_unwritten(self._reached))

    def _enqueue(self, keys: Iterable[Key]) -> None:
        self._pending.enqueue(keys, self._clock.now())

    def _decide(self, rows: Sequence[PendingRow]) -> list[Item]:
        readings = self._fetch(rows)
        self._reached.update((reading.key, self._reached.get(reading.key, 0)) for reading in readings)
        done = {(row.object, row.record_id) for row in rows}
        covered = self._find_covered(readings)
        holders = self._count_holders(readings, covered)
        items = []
        for reading in readings:
            item = self._item(reading, covered, holders)
            if item is None:
                self._examiner.skip(reading)
            else:
                items.append(item)
                done.discard(reading.key)
        self._pending.remove(sorted(done))
        return items

    def _fetch(self, rows: Sequence[PendingRow]) -> list[Reading]:
        readings = self._read([(row.object, row.record_id) for row in rows])
        observe(self._permissions, readings, certain=True)
        return readings

    def _read(self, keys: Iterable[Key]) -> list[Reading]:
        """Read these records, and take in which of them are gone."""
        readings: list[Reading] = []
        wanted = sorted(set(keys))
        for name, group in groupby(wanted, key=lambda key: key[0]):
            records = self._crm.fetch(name, [record_id for _, record_id in group])
            readings += [Reading(record, self._shapes[name]) for record in records]
        self._permissions.forget_holders(set(wanted).difference(reading.key for reading in readings))
        return readings

    def _find_covered(self, readings: Sequence[Reading]) -> frozenset[str]:
        """Return which of the records' numbers are covered.

        Before a flag is raised for a number, a record that asks for silence on it is read again: an index may lag, and
        people may have lowered its flag since the run read it.
        """
        numbers = {e164 for reading in readings for e164 in reading.all_e164s()}
        to_raise = {e164 for reading in readings if self._can_flag(reading) for e164 in reading.all_e164s()}
        while True:
            covered = self._permissions.covered(numbers)
            if not (unsure := (covered & to_raise) - self._confirmed):
                return covered
            bearers = self._permissions.bearers(unsure)
            # What this run has raised is up, also where a dry run has only said so.
            doubtful = set(bearers.values()) - self._raised
            asking = self._read(key for key in doubtful if key[0] in self._shapes)
            observe(self._permissions, asking, certain=True)
            lowered = {reading.key for reading in asking if not reading.flagged}
            self._confirmed.update(e164 for e164, key in bearers.items() if key not in lowered)

    def _can_flag(self, reading: Reading) -> bool:
        return reading.shape.opt_out is not None and not reading.flagged and not self._hold_flags

    def _count_holders(self, readings: Sequence[Reading], covered: frozenset[str]) -> dict[str, int]:
        """Return how many records hold each covered number; the deleted ones among them make no switchboard."""
        while True:
            counts = self._permissions.count_holders(covered)
            over = {
                (e164, reading.shape.spread_limit)
                for reading in readings
                for e164 in covered.intersection(reading.all_e164s())
                if counts[e164] > reading.shape.spread_limit
            }
            if self._counts_stand or not (unsure := over - self._counted):
                return counts
            # So many that are there prove it, however many more there are.
            holders = {each: self._permissions.holders(each[0], each[1] + 1) for each in unsure}
            mapped = {key for keys in holders.values() for key in keys if key[0] in self._shapes}
            gone = mapped.difference(reading.key for reading in self._read(mapped))
            self._counted.update(each for each, keys in holders.items() if gone.isdisjoint(keys))

    def _item(self, reading: Reading, covered: frozenset[str], holders: dict[str, int]) -> Item | None:
        reached = [e164 for e164 in reading.all_e164s() if e164 in covered]
        raise_flag = self._can_flag(reading) and self._may_flag(reading, reached, holders)
        due = self._examiner.find_due(reading, covered)
        if raise_flag:
            # Also the slots that are silent already: their reason says what lifts the flag that is raised now.
            self._raised.add(reading.key)
            filled = [slot.field for slot in reading.shape.slots if reading.content(slot)]
            due = due | dict.fromkeys(filled, DueReason.PERMISSION)
        if not due and not raise_flag:
            return None
        return Item(reading, due, raise_flag=raise_flag, covered=covered)

    def _may_flag(self, reading: Reading, reached: Sequence[str], holders: dict[str, int]) -> bool:
        limit = reading.shape.spread_limit
        self._spread.update({e164: holders[e164] for e164 in reached if holders[e164] > limit})
        return any(self._confirm_spread or holders[e164] <= limit for e164 in reached)
