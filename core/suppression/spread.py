"""Opt-outs carried to every record that holds the number, also to fresh ones and to those outside the filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ..decisions.coverage import can_be_flagged
from ..decisions.due import DueReason
from ..decisions.due_record import DueRecord
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending, PendingReason, PendingRow
from .record_reader import Key, RecordReader

_FIRST: Key = ("", "")


class Examiner(Protocol):
    """Tells which slots of a record are due in this run, and accounts for a record that needs nothing."""

    def find_due(self, view: RecordView, covered: frozenset[str]) -> dict[str, DueReason]:
        """Return the record's due slots by field name; ``covered`` holds the numbers that an opt-out covers."""
        ...

    def skip(self, view: RecordView) -> None:
        """Count a record that needs nothing."""
        ...


class OptOutSpread:
    """Works through the records that an opt-out reaches, until none is left.

    Raising a flag covers the other numbers of that record too, so new records may be reached on the way. ``all_read``
    tells that the run has read every record, and so knows who holds what.
    """

    def __init__(
        self,
        crm: Crm,
        shapes: Mapping[str, ObjectShape],
        ledger: OptOutLedger,
        pending: Pending,
        examiner: Examiner,
        clock: Clock,
        *,
        confirm_spread: bool,
        hold_flags: bool = False,
        all_read: bool = False,
    ) -> None:
        self._reader = RecordReader(crm, shapes, ledger)
        self._shapes = shapes
        self._ledger = ledger
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

    def batches(self, batch: int) -> Iterator[list[DueRecord]]:
        """Yield batches of records to process; each must be processed before the next is asked for."""
        if self._hold_flags:
            self._find_reached()
            yield from self._silence(batch)
            return
        while self._find_reached():
            yield from (items for _, items in self._waiting(batch) if items)
        self._leave_unwritten()
        self._ledger.mark_propagated()

    def _silence(self, batch: int) -> Iterator[list[DueRecord]]:
        """Yield the records with what silences their slots; all go on waiting for the run that may raise flags."""
        for rows, items in self._waiting(batch):
            if items:
                yield items
            self._enqueue((row.object, row.record_id) for row in rows)

    def _waiting(self, batch: int) -> Iterator[tuple[Sequence[PendingRow], list[DueRecord]]]:
        after = _FIRST
        while rows := self._next(after, batch):
            after = (rows[-1].object, rows[-1].record_id)
            yield rows, self._decide(rows)

    def _next(self, after: Key, limit: int) -> Sequence[PendingRow]:
        # What is not in this run's mapping goes on waiting for a run that has it.
        return self._pending.next(after, limit, PendingReason.PERMISSION, objects=self._shapes)

    def _find_reached(self) -> bool:
        """Queue the records newly reached, and tell whether any wait."""
        holders = self._ledger.unflagged_holders(all_runs=self._confirm_spread)
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

    def _decide(self, rows: Sequence[PendingRow]) -> list[DueRecord]:
        views = self._read((row.object, row.record_id) for row in rows)
        self._reached.update((view.key, self._reached.get(view.key, 0)) for view in views)
        done = {(row.object, row.record_id) for row in rows}
        covered = self._find_covered(views)
        holders = self._count_holders(views, covered)
        items = []
        for view in views:
            item = self._item(view, covered, holders)
            if item is None:
                self._examiner.skip(view)
            else:
                items.append(item)
                done.discard(view.key)
        self._pending.remove(sorted(done))
        return items

    def _read(self, keys: Iterable[Key]) -> list[RecordView]:
        """Read these records, and take in which of them are gone."""
        wanted = sorted(set(keys))
        views = self._reader.read(wanted)
        self._ledger.forget_holders(set(wanted).difference(view.key for view in views))
        return views

    def _find_covered(self, views: Sequence[RecordView]) -> frozenset[str]:
        """Return which of the records' numbers are covered.

        Before a flag is raised for a number, a record that asks for silence on it is read again: an index may lag, and
        people may have lowered its flag since the run read it.
        """
        numbers = {e164 for view in views for e164 in view.all_e164s()}
        to_raise = {e164 for view in views if self._can_flag(view) for e164 in view.all_e164s()}
        while True:
            covered = self._ledger.covered(numbers)
            if not (unsure := (covered & to_raise) - self._confirmed):
                return covered
            bearers = self._ledger.bearers(unsure)
            # What this run has raised is up, also where a dry run has only said so.
            doubtful = set(bearers.values()) - self._raised
            asking = self._read(key for key in doubtful if key[0] in self._shapes)
            lowered = {view.key for view in asking if not view.flagged}
            self._confirmed.update(e164 for e164, key in bearers.items() if key not in lowered)

    def _can_flag(self, view: RecordView) -> bool:
        return can_be_flagged(view) and not self._hold_flags

    def _count_holders(self, views: Sequence[RecordView], covered: frozenset[str]) -> dict[str, int]:
        """Return how many records hold each covered number; the deleted ones among them make no switchboard."""
        while True:
            counts = self._ledger.count_holders(covered)
            over = {
                (e164, view.shape.spread_limit)
                for view in views
                for e164 in covered.intersection(view.all_e164s())
                if counts[e164] > view.shape.spread_limit
            }
            if self._counts_stand or not (unsure := over - self._counted):
                return counts
            # So many that are there prove it, however many more there are.
            holders = {each: self._ledger.holders(each[0], each[1] + 1) for each in unsure}
            mapped = {key for keys in holders.values() for key in keys if key[0] in self._shapes}
            gone = mapped.difference(view.key for view in self._read(mapped))
            self._counted.update(each for each, keys in holders.items() if gone.isdisjoint(keys))

    def _item(self, view: RecordView, covered: frozenset[str], holders: dict[str, int]) -> DueRecord | None:
        reached = [e164 for e164 in view.all_e164s() if e164 in covered]
        raise_flag = self._can_flag(view) and self._may_flag(view, reached, holders)
        due = self._examiner.find_due(view, covered)
        if raise_flag:
            # Also the slots that are silent already: their reason says what lifts the flag that is raised now.
            self._raised.add(view.key)
            filled = [slot.field for slot in view.shape.slots if view.content(slot)]
            due = due | dict.fromkeys(filled, DueReason.PERMISSION)
        if not due and not raise_flag:
            return None
        return DueRecord(view, due, raise_flag=raise_flag, covered=covered)

    def _may_flag(self, view: RecordView, reached: Sequence[str], holders: dict[str, int]) -> bool:
        limit = view.shape.spread_limit
        self._spread.update({e164: holders[e164] for e164 in reached if holders[e164] > limit})
        return any(self._confirm_spread or holders[e164] <= limit for e164 in reached)
