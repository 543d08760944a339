"""What a lift does in one CRM account: which records' flags come down, and what the state knows of them afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..decisions.lowering import lower_flags
from ..model.blocks import Block, BlockKind, BlockSource, Channel
from ..model.record_view import RecordView
from ..model.values import Change, Outcome
from ..state.holdings import Holding, Key
from ..state.number_flags import Flagged, NumberFlags
from ..state.opt_out_ledger import OptOutLedger
from ..state.pending import Pending
from ..suppression.record_reader import RecordReader
from ..writing.lifting import LiftAuthority, LiftingWriter
from .lift_summary import LiftSummary
from .opt_outs import take_in_opt_outs
from .outcomes import PendingOutcome, count_results
from .run import RunContext

BATCH = 500
"""Records whose flags are lowered between two entries in the state."""


@dataclass(frozen=True, slots=True)
class Target:
    """A record that holds the number under a flag that is up.

    ``is_source`` tells that somebody raised the flag, so that it covers the ``others`` too: the further numbers of the
    record, as keys of an opt-out. ``is_whole`` tells that the change lowers every flag that is up; it does not where
    one is only read, such as a consent. ``channels`` are those of the flags that are up.
    """

    view: RecordView
    change: Change
    is_source: bool
    is_whole: bool
    others: tuple[str, ...]
    channels: frozenset[Channel]


class AccountLift:
    """The lift in one account, while its run is open. ``numbers`` are the keys that the number may stand under."""

    def __init__(
        self, context: RunContext, summary: LiftSummary, numbers: Sequence[str], authority: LiftAuthority
    ) -> None:
        job = context.job
        self._context = context
        self._summary = summary
        self._numbers = frozenset(numbers)
        self._ledger = OptOutLedger(job.store, context.org_id, summary.run_id, job.clock)
        self._flags = NumberFlags(job.store.keyring, context.org_id, numbers)
        self._reader = RecordReader(job.crm, job.shapes, self._ledger)
        self._writer = LiftingWriter(
            job.crm, job.shapes, context.journal, job.clock, authority, dry_run=summary.dry_run
        )
        self._still_up: set[Key] = set()
        self._tried: set[Key] = set()
        self._kept: set[Key] = set()

    def take_in_opt_outs(self) -> None:
        """Take in the flags that went up or came down since the last sync."""
        self._context.job.progress.phase("opt-outs")
        take_in_opt_outs(self._context, self._ledger)

    def find_withdrawn(self) -> list[Block]:
        """Return what withdrawn consent asks for: no lift ends it, and the next sync would raise the flags again."""
        with self._context.job.store.transaction() as connection:
            withdrawn = self._flags.find_withdrawn(connection)
        places = (f"{self._summary.crm}:{name}:{record_id}" for name, record_id in withdrawn)
        return [Block(BlockKind.OPTED_OUT, Channel.ALL, BlockSource.CRM, place) for place in places]

    def find_targets(self) -> list[Target]:
        """Return the records that hold the number now under a flag that is up, but those that were tried before."""
        self._context.heartbeat()
        with self._context.job.store.transaction() as connection:
            known = self._flags.find_holders(connection) | self._flags.find_records(connection)
        views = [view for view in self._reader.read(known) if not self._numbers.isdisjoint(view.all_e164s())]
        with self._context.job.store.transaction() as connection:
            sources = self._flags.find_sources(connection, [view.key for view in views])

        targets = [self._target(view, is_source=view.key in sources) for view in views if view.flagged]
        self._still_up = {each.view.key for each in targets} - self._kept
        left = self._still_up - self._tried
        return [each for each in targets if each.change.names and each.view.key in left]

    def find_flagged(self) -> set[Flagged]:
        """Return the records whose flag is up and about the number."""
        with self._context.job.store.transaction() as connection:
            return {(self._context.org_id, *key) for key in self._flags.find_records(connection)}

    def find_covered(self, numbers: Collection[str], without: Collection[Flagged]) -> set[str]:
        """Return those of other numbers that a flag covers in any account that counts here, but for some records'."""
        with self._context.job.store.transaction() as connection:
            return self._flags.find_covered(connection, numbers, without)

    def keep_up(self, targets: Sequence[Target]) -> None:
        """Leave these flags up for the sake of the records' other numbers; they cover the lifted one no more."""
        keys = [each.view.key for each in targets]
        with self._context.job.store.transaction() as connection:
            self._flags.derive(connection, keys)
        self._still_up.difference_update(keys)
        self._kept.update(keys)
        self._summary.keep_up(keys)

    def lower(self, targets: Sequence[Target]) -> None:
        """Lower the flags of these records, and record what has come down."""
        job = self._context.job
        job.progress.phase("flags to lower", len(targets) or None)
        for start in range(0, len(targets), BATCH):
            some = targets[start : start + BATCH]
            self._context.heartbeat()
            results = self._writer.apply([each.change for each in some])
            rows = [PendingOutcome(each.view.key, len(each.change.names)) for each in some]
            written, _ = count_results(self._summary, rows, results)

            down = {row.key for row in written} & {each.view.key for each in some if each.is_whole}
            views = [each.view for each in some if each.view.key in down]
            self._ledger.record([Holding(*view.key, view.all_e164s(), flagged=False) for view in views])
            self._still_up -= down
            self._tried |= {
                row.key for row, result in zip(rows, results, strict=True) if result.outcome is not Outcome.CONFLICT
            }
            job.progress.advance(len(some))

    def finish(self, *, is_free: bool) -> None:
        """Record the number as lifted unless it stays blocked, and let its holders wait for the next sync."""
        summary, store = self._summary, self._context.job.store
        if is_free:
            with store.transaction() as connection:
                self._flags.lift(connection, but=self._still_up)
                holders = self._flags.find_holders(connection)
            Pending(store, self._context.org_id, summary.run_id).enqueue(sorted(holders), self._context.job.clock.now())
        summary.still_up = len(self._still_up)
        summary.complete = True

    def _target(self, view: RecordView, *, is_source: bool) -> Target:
        record = view.record
        change = Change.of(record.object, record.id, lower_flags(view), modified=record.modified)
        others = tuple(number for number in view.all_e164s() if number not in self._numbers)
        up = [flag for flag in view.shape.opt_outs if flag.is_up(record.values.get(flag.field))]
        is_whole = {flag.field for flag in up} == set(change.names)
        return Target(view, change, is_source, is_whole, others, frozenset(flag.channel for flag in up))
