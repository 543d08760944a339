"""Due records to outcomes, a batch at a time: read again, decide, plan, write, account for every row."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..decisions.coverage import silenced_slots
from ..decisions.due_record import DueRecord
from ..decisions.plan import plan_change
from ..model.values import Change
from ..state.holdings import Raised
from ..writing.outbox import Delivery, Outbox
from .brake import Brake
from .decider import Decider
from .examiner import Examiner
from .outcomes import OutcomeRecorder, PendingOutcome, ShownChange, find_rewrites
from .summary import SHOWN

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class InFlightBatch:
    """So many records on their way to an outcome, with what was handed over for them and is not accounted for yet."""

    size: int
    parts: deque[tuple[Delivery, list[PendingOutcome]]]

    @property
    def done(self) -> bool:
        """Return whether every outcome is there."""
        return all(delivery.done for delivery, _ in self.parts)


@dataclass(slots=True)
class BatchProcessor:
    """Takes batches of due records to their outcomes, in their order, while earlier ones are still being written."""

    examiner: Examiner
    decider: Decider
    outbox: Outbox
    recorder: OutcomeRecorder
    brake: Brake
    _in_flight: deque[InFlightBatch] = field(default_factory=deque)
    _to_show: int = 5 * SHOWN  # more than is shown, because some may be refused

    @property
    def reach(self) -> int:
        """Return how many records are best prepared at once; 0 where there is nothing to prepare."""
        return self.decider.reach

    def prepare(self, records: Sequence[DueRecord]) -> None:
        """Have bought what the records of the next batches will need."""
        self.decider.prepare(records)

    def process(self, batch: Sequence[DueRecord]) -> int:
        """Decide about every record of the batch and hand its changes over.

        Returns how many records have got an outcome by this, of this batch and of earlier ones, in their order.
        """
        records = self.examiner.refresh(batch)
        self.decider.decide(records)
        changes, rows = self._plan(records)

        deliveries = self.outbox.post(changes)
        parts = [(delivery, [rows[place] for place in delivery.places]) for delivery in deliveries]
        self._in_flight.append(InFlightBatch(len(batch), deque(parts)))
        logger.info("batch of %d records: %d to write", len(batch), len(changes))
        return self._account()

    def drain(self) -> int:
        """Wait for everything in flight; return how many records have got their outcome by that."""
        self.outbox.flush()
        return self._account(wait=True)

    def close(self, *, finish: bool = False) -> int:
        """End in the middle of the work, with an outcome for what has one; return for how many records in a row.

        With ``finish`` what was handed over is still sent, as far as there is time.
        """
        self.outbox.close(self._deliveries(), finish=finish)
        return self._account_for_the_rest()

    def give_up(self) -> int:
        """Part with what is in flight and go on with other records; return for how many in a row there is an outcome.

        What a failed write has left without an outcome is found out by the next run.
        """
        self.outbox.give_up(self._deliveries())
        return self._account_for_the_rest()

    def _deliveries(self) -> list[Delivery]:
        return [delivery for batch in self._in_flight for delivery, _ in batch.parts]

    def _account_for_the_rest(self) -> int:
        done, in_a_row = 0, True
        while self._in_flight:
            batch = self._in_flight.popleft()
            for delivery, rows in batch.parts:
                if delivery.succeeded:
                    self.recorder.record(rows, self.outbox.take(delivery))
            in_a_row = in_a_row and all(delivery.succeeded for delivery, _ in batch.parts)
            done += batch.size if in_a_row else 0
        return done

    def _plan(self, records: Sequence[DueRecord]) -> tuple[list[Change], list[PendingOutcome]]:
        """Return the changes to write with what is still to be known of each; account for records that need none."""
        changes: list[Change] = []
        rows: list[PendingOutcome] = []
        unwritten: list[DueRecord] = []
        for record in records:
            view, again = record.view, record.view.key in record.opt_outs.heirs
            change = plan_change(view, record.verdicts, raise_flag=record.raise_flag, blocks=record.blocks, again=again)
            if change is None and (record.waiting or not self.brake.pulled):
                unwritten.append(record)
            elif change is None:
                continue  # the cursor stays in front of it
            else:
                changes.append(change)
                rows.append(self._await_outcome(record, change))

        self.recorder.record_unwritten(unwritten)
        return changes, rows

    def _await_outcome(self, record: DueRecord, change: Change) -> PendingOutcome:
        view = record.view
        raised, silenced = None, record.silenced
        if record.raise_flag:
            silenced = silenced or record.mutes
            raised = Raised(*view.key, view.all_e164s(), record.blocks, view.shape.channels)
        shown = None
        if self._to_show:
            self._to_show -= 1
            shown = ShownChange(change, view.shape, view.contents())

        return PendingOutcome(
            view.key,
            len(change.names),
            record.deferred,
            silenced,
            raised,
            shown,
            tuple(record.judged.values()),
            sum(1 for _ in silenced_slots(view.shape, change.new_values())) if silenced else 0,
            record.raise_flag,
            find_rewrites(change) if change.guard else (),
        )

    def _account(self, *, wait: bool = False) -> int:
        """Record the outcomes that are there, or with ``wait`` all that are in flight; return of how many records."""
        done = 0
        while self._in_flight and (wait or self._in_flight[0].done):
            batch = self._in_flight[0]
            while batch.parts:
                delivery, rows = batch.parts[0]
                self.recorder.record(rows, self.outbox.take(delivery))
                batch.parts.popleft()
            done += self._in_flight.popleft().size
        return done
