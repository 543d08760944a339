"""Opt-outs carried to every record that holds the number, also to fresh ones and to those outside the filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ..decisions.coverage import can_raise_flag, find_kept, find_unraised, has_lowered_flag
from ..decisions.due import DueReason
from ..decisions.due_record import DueRecord
from ..model.blocks import EVERY_WAY, NO_WAY, SMS_ALONE, Channel
from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending, PendingReason, PendingRow
from .confirmation import OptOutConfirmation
from .record_reader import Key, RecordReader

_FIRST: Key = ("", "")


class Examiner(Protocol):
    """Tells which slots of a record are due in this run, and accounts for a record that needs nothing."""

    def find_due(self, view: RecordView, opt_outs: OptOuts) -> dict[str, DueReason]:
        """Return the record's due slots by field name; ``opt_outs`` is what the ledger knows."""
        ...

    def expect_again(self, view: RecordView) -> None:
        """Take in that an opt-out concerns the record: wherever the run meets it, it counts once."""
        ...

    def skip(self, view: RecordView) -> None:
        """Count a record that needs nothing."""
        ...


class OptOutSpread:
    """Works through the records that an opt-out reaches, until none is left.

    A flag that ringfence raises covers nobody else's numbers. New records may be reached on the way all the same: the
    one into which a record that opted out was merged is that person's from now on. ``all_read`` tells that the run has
    read every record, and so knows who holds what. ``but_refused`` leaves the records that the CRM has refused in an
    earlier run to the spread that comes last, so that they cannot use up a limit for good.
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
        but_refused: bool = False,
    ) -> None:
        self._shapes = shapes
        self._ledger = ledger
        self._pending = pending
        self._examiner = examiner
        self._clock = clock
        self._confirm_spread = confirm_spread
        self._hold_flags = hold_flags
        self._but_refused = but_refused

        reader = RecordReader(crm, shapes, ledger)
        counts_stand = confirm_spread or hold_flags or all_read
        self._confirmation = OptOutConfirmation(reader, shapes, ledger, self._can_flag, counts_stand=counts_stand)
        self._raised: set[Key] = set()
        self._heirs: frozenset[Key] = frozenset()
        self._reached: dict[Key, int] = {}
        self._over_limit: dict[str, int] = {}

    @property
    def switchboards(self) -> dict[str, int]:
        """Return the reached E.164 numbers that more records hold than may be flagged unasked, with how many do."""
        return {} if self._confirm_spread else dict(self._over_limit)

    @property
    def stale(self) -> list[Key]:
        """Return the records whose flag ringfence raised, and that no opt-out calls for any longer."""
        return self._ledger.list_stale()

    def batches(self, size: int) -> Iterator[list[DueRecord]]:
        """Yield batches of at most ``size`` records to process; each must be processed before the next is asked for."""
        if self._hold_flags:
            self._find_reached()
            yield from self._silence(size)
            return

        self._find_heirs()
        while self._find_reached():
            yield from (records for _, records in self._waiting(size) if records)

        self._leave_unwritten()
        self._ledger.mark_propagated()

    def _find_heirs(self) -> None:
        """Find the records into which others that opted out were merged: the opt-out is theirs, flag and all."""
        if gone := self._ledger.handing_over():
            self._heirs = frozenset(view.key for view in self._confirmation.read(gone)).difference(gone)
            self._ledger.name_heirs(self._heirs)
            self._enqueue(self._heirs)

    def _silence(self, size: int) -> Iterator[list[DueRecord]]:
        """Yield the records with what silences their slots; all go on waiting for the run that may raise flags."""
        for rows, records in self._waiting(size):
            if records:
                yield records
            self._enqueue((row.object, row.record_id) for row in rows)

    def _waiting(self, size: int) -> Iterator[tuple[Sequence[PendingRow], list[DueRecord]]]:
        after = _FIRST
        while rows := self._next(after, size):
            after = (rows[-1].object, rows[-1].record_id)
            yield rows, self._decide(rows)

    def _next(self, after: Key, limit: int) -> Sequence[PendingRow]:
        # What is not in this run's mapping goes on waiting for a run that has it.
        refused = not self._but_refused
        return self._pending.next(after, limit, PendingReason.PERMISSION, objects=self._shapes, refused=refused)

    def _find_reached(self) -> bool:
        """Queue the records newly reached, and return whether any wait."""
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
        """Return those of the waiting records that are due; the others no longer wait."""
        keys = {(row.object, row.record_id) for row in rows}
        views = self._confirmation.read(keys)
        for view in views:
            self._reached.setdefault(view.key, 0)
            self._examiner.expect_again(view)
        opt_outs = self._confirmation.find_opt_outs(views, self._raised)
        kept = find_kept(views, opt_outs)
        if kept and not self._hold_flags:
            self._ledger.keep(kept)
            self._heirs |= kept
        opt_outs = opt_outs._replace(heirs=self._heirs, kept=kept)
        holders = self._confirmation.count_holders(views, opt_outs.covered)

        due_records = []
        for view in views:
            record = self._reach(view, opt_outs, holders)
            if record is None:
                self._examiner.skip(view)
            else:
                due_records.append(record)

        self._pending.remove(sorted(keys.difference(record.view.key for record in due_records)))
        return due_records

    def _reach(self, view: RecordView, opt_outs: OptOuts, holders: Mapping[str, int]) -> DueRecord | None:
        """Return the record as an opt-out makes it due; None where it says already what it should."""
        reached = [e164 for e164 in view.all_e164s() if e164 in opt_outs.covered and opt_outs.raises_flags(e164)]
        blocks = self._find_blocks(view, reached, opt_outs, holders) if self._can_flag(view) else NO_WAY
        raise_flag = bool(blocks)
        due = self._examiner.find_due(view, opt_outs)

        if raise_flag:
            # Also the slots that are silent already: their reason says what lifts the flag that is raised now.
            self._raised.add(view.key)
            filled = [slot.field for slot in view.shape.slots if view.content(slot)]
            if not (view.shape.has_sms and blocks == SMS_ALONE):
                due = due | dict.fromkeys(filled, DueReason.PERMISSION)

        if not due and not raise_flag:
            return None
        return DueRecord(view, due, raise_flag=raise_flag, blocks=blocks, opt_outs=opt_outs, waiting=True)

    def _can_flag(self, view: RecordView) -> bool:
        if self._hold_flags:
            return False
        return can_raise_flag(view) or (view.key in self._heirs and has_lowered_flag(view))

    def _find_blocks(
        self, view: RecordView, reached: Sequence[str], opt_outs: OptOuts, holders: Mapping[str, int]
    ) -> frozenset[Channel]:
        """Return the channels of the blocks for which flags of the record are to be raised; none for a switchboard."""
        if view.key in self._heirs:
            return find_unraised(view, opt_outs, reached) or (NO_WAY if view.flagged else EVERY_WAY)
        if view.withdrawn:
            return find_unraised(view, opt_outs, reached)
        limit = view.shape.spread_limit
        self._over_limit.update({e164: holders[e164] for e164 in reached if holders[e164] > limit})
        few = [e164 for e164 in reached if self._confirm_spread or holders[e164] <= limit]
        return find_unraised(view, opt_outs, few)
