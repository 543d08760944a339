"""What became of each row of a run, in the summary, in the state and in the opt-out ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ..decisions.due_record import DueRecord, JudgedSlot
from ..model.shapes import ObjectShape
from ..model.values import Change, FieldChange, Outcome, RowResult
from ..ports.services import Clock
from ..state.holdings import Raised
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending, PendingReason, PendingRow


class ShownChange(NamedTuple):
    """A change that a summary may show, with the phone fields as they were read, by field name."""

    change: Change
    shape: ObjectShape
    contents: Mapping[str, str]


class PendingOutcome(NamedTuple):
    """What is still to be known of a record once its change was handed over; kept small, because many may wait.

    ``key`` is (object, record id); ``fields`` how many fields the change names; ``deferred`` tells that a lookup is
    owed to another slot of the record; ``silenced`` that the change enforces an opt-out; ``raised`` tells
    what is to be known of the record's flags where some are being raised (``raises_flag``); ``shown`` the change for
    the summary's list.
    ``judged`` holds what counts of each verdict, ``silenced_slots`` how many slots the change silences,
    ``rewrites`` the phone fields that it rewrites.
    """

    key: tuple[str, str]
    fields: int
    deferred: bool = False
    silenced: bool = False
    raised: Raised | None = None
    shown: ShownChange | None = None
    judged: tuple[JudgedSlot, ...] = ()
    silenced_slots: int = 0
    raises_flag: bool = False
    rewrites: tuple[FieldChange, ...] = ()


class OutcomeCounts(Protocol):
    """A summary that counts the outcomes of rows."""

    def count_written(self, rows: Sequence[PendingOutcome]) -> None:
        """Count rows that the CRM has taken."""
        ...

    def count_refused(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a row that the CRM has refused, and keep its words."""
        ...

    def count_conflict(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a row that somebody changed, merged or deleted since it was read."""
        ...


class DueCounts(OutcomeCounts, Protocol):
    """A summary that counts due records, written to or not."""

    def count_unchanged(self, key: tuple[str, str], judged: Iterable[JudgedSlot]) -> None:
        """Count a due record that says already what it should."""
        ...

    def count_deferred(self, key: tuple[str, str]) -> None:
        """Count a due record to which nothing is written because a lookup is still owed."""
        ...


class OutcomeRecorder:
    """Turns the results of rows into counts, and into what the next run has to look at again."""

    def __init__(self, counts: DueCounts, pending: Pending, ledger: OptOutLedger, clock: Clock) -> None:
        self._counts = counts
        self._pending = pending
        self._ledger = ledger
        self._clock = clock

    def record(self, rows: Sequence[PendingOutcome], results: Sequence[RowResult]) -> None:
        """Take in one result for each row, in their order."""
        written, waiting = count_results(self._counts, rows, results)

        # Keep for the next run what is still owed, and forget what is not.
        waiting += [PendingRow(*row.key, PendingReason.DEFERRED) for row in written if row.deferred]
        self._pending.remove([row.key for row in written if not row.deferred])
        self._pending.put(waiting, self._clock.now())
        self._ledger.raise_flags([row.raised for row in written if row.raised])

    def record_unwritten(self, records: Sequence[DueRecord]) -> None:
        """Take in due records to which nothing is written: they say already what they should, or wait for a lookup."""
        deferred: list[tuple[str, str]] = []
        settled: list[tuple[str, str]] = []
        for record in records:
            key = record.view.key
            if record.deferred:
                self._counts.count_deferred(key)
                deferred.append(key)
            else:
                self._counts.count_unchanged(key, record.judged.values())
                settled.append(key)

        self._pending.remove(settled)
        self._pending.put([PendingRow(*key, PendingReason.DEFERRED) for key in deferred], self._clock.now())


def count_results(
    counts: OutcomeCounts, rows: Sequence[PendingOutcome], results: Sequence[RowResult]
) -> tuple[list[PendingOutcome], list[PendingRow]]:
    """Count one result for each row; return the rows that were written, and the others as rows to look at again."""
    written: list[PendingOutcome] = []
    waiting: list[PendingRow] = []
    for row, result in zip(rows, results, strict=True):
        if result.outcome is Outcome.WRITTEN:
            written.append(row)
        elif result.outcome is Outcome.REFUSED:
            counts.count_refused(row, result)
            waiting.append(PendingRow(*row.key, PendingReason.FAILED, result.code, result.message))
        else:
            counts.count_conflict(row, result)
            waiting.append(PendingRow(*row.key, PendingReason.CONFLICT))

    counts.count_written(written)
    return written, waiting


def find_rewrites(change: Change) -> tuple[FieldChange, ...]:
    """Return the phone fields that a change rewrites: those that must still hold what was read."""
    return tuple(item for item in change.fields if item.field in change.guard) if change.guard else ()
