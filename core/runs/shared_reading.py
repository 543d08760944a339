"""Reads of a run that are divided into parts: handed out, waited for, and counted as if the run had done them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import RingfenceError
from ..state.part_holds import PartHold, free_abandoned, hold_part
from ..state.run_parts import SEQS, NewPart, PartState, RunPart, add_parts, end_parts, list_parts, silence_parts
from .mode import RunMode
from .options import SyncOptions
from .part_errors import error_from_json
from .part_recovery import recover
from .part_run import PartWork, carry_out_part
from .parts import SyncParts
from .run import PAUSE_S, RunContext
from .summary import Summary

logger = logging.getLogger(__name__)

ANNOUNCE_EVERY_S = 20.0
"""How often workers are told of a part that still waits, in seconds: the job that told of it may be cancelled."""

MOST_DEATHS = 3
"""Workers that may die at a part; after that the run does it itself, so that it tells what is the matter."""

WAIT_FOR_HOLDERS_S = 5.0
"""How long a run that was asked to end waits for those who work for it to end their batches."""


class PartWorkers(Protocol):
    """Those who work at the parts of a run beside its own process."""

    def are_there(self) -> bool:
        """Return whether other processes take such work right now."""
        ...

    def announce(self, run_id: str, parts: Sequence[int]) -> None:
        """Put it on record that these parts wait to be done; those that it is on record of already stay so."""
        ...

    def recall(self) -> None:
        """Take back what nobody has begun."""
        ...


@dataclass(frozen=True, slots=True)
class Partitioning:
    """Into how many parts the reading of an object is divided, and who does them.

    While there are workers the run leaves the parts to them, unless it ``works_along``. ``instructions`` are JSON
    values that tell a worker of the mapping and the policy; they hold no secret.
    """

    parts: int
    workers: PartWorkers
    instructions: Mapping[str, Any]
    works_along: bool = False


class SharedReading:
    """The parts of one run. Must be used in the process that holds the run's lease."""

    def __init__(
        self,
        context: RunContext,
        options: SyncOptions,
        summary: Summary,
        mode: RunMode,
        parts: SyncParts,
        partitioning: Partitioning,
    ) -> None:
        self._context = context
        self._job = context.job
        self._options = options
        self._summary = summary
        self._mode = mode
        self._parts = parts
        self._workers = partitioning.workers
        self._works_along = partitioning.works_along
        self._announced: dict[int, float] = {}
        self._left: Counter[int] = Counter()
        self._next = 1
        self._shown = 0
        self._looked_at = self._job.clock.monotonic()
        self._holds: PartHold | None = None
        self._may_go_on = True
        self._silenced = False
        self.left_to_others = False

    def carry_out(self, phase: str, parts: Sequence[NewPart]) -> None:
        """Have the parts done, and count what they did; what this process writes from then on comes behind them.

        Raises the worst of the errors that ended a part, once nobody works at any; a guard pulls the brake instead.
        """
        job, run_id = self._job, self._summary.run_id
        numbers = add_parts(job.store, run_id, self._next, parts)
        # What this process writes between two rounds has numbers of its own.
        self._next = numbers[-1] + 2
        logger.info("%s: %s, in %d parts", job.crm.name, phase, len(numbers))

        self._shown = 0
        try:
            self._wait(phase, numbers)
        except BaseException:
            self._break_off(numbers)
            raise
        finally:
            self._workers.recall()
            self._context.journal.leave_room((numbers[-1] + 1) * SEQS)
        self._take_in(numbers)

    def _wait(self, phase: str, numbers: Sequence[int]) -> None:
        while True:
            self._context.heartbeat()
            found = self._look(phase, numbers)
            if all(part.over for part in found):
                return
            waiting = [part.part for part in found if part.state is PartState.WAITING]
            fatal = [part for part in waiting if self._left[part] >= MOST_DEATHS]
            if fatal or (waiting and (self._works_along or not self._workers.are_there())):
                # From behind, for workers begin in front.
                self._work_at((fatal or waiting)[-1], phase, numbers)
            else:
                self._job.clock.sleep(PAUSE_S)

    def _look(self, phase: str, numbers: Sequence[int]) -> list[RunPart]:
        """See how the parts stand: what one of them has met is for all of them, and what a dead one left goes on."""
        job, run_id = self._job, self._summary.run_id
        self._looked_at = job.clock.monotonic()
        if freed := free_abandoned(job.store, run_id, job.clock.now()):
            self._left.update(freed)
            logger.warning("parts %s were left by whoever worked at them, and go on", freed)

        found = self._list(numbers)
        self._show(phase, found)
        self._announce([part.part for part in found if part.state is PartState.WAITING])
        if self._may_go_on and any(part.state is PartState.FAILED for part in found):
            self._may_go_on = False
            end_parts(job.store, run_id)
            return self._list(numbers)
        if not self._silenced and any(part.error for part in found):
            self._silenced = True
            silence_parts(job.store, run_id)
        return found

    def _announce(self, waiting: Sequence[int]) -> None:
        """Tell workers of the parts that wait, and again of those that nobody has come to for a while."""
        now = self._job.clock.monotonic()
        due = [part for part in waiting if now - self._announced.get(part, -ANNOUNCE_EVERY_S) >= ANNOUNCE_EVERY_S]
        if due and self._workers.are_there():
            self._workers.announce(self._summary.run_id, due)
            self._announced.update(dict.fromkeys(due, now))
            # One who begins and dies leaves something too, whoever ends the part.
            self.left_to_others = True

    def _list(self, numbers: Sequence[int]) -> list[RunPart]:
        wanted = set(numbers)
        return [part for part in list_parts(self._job.store, self._summary.run_id) if part.part in wanted]

    def _work_at(self, part: int, phase: str, numbers: Sequence[int]) -> None:
        """Do a part in this process, which goes on looking after the others meanwhile."""
        job = self._job
        hold = hold_part(job.store, self._summary.run_id, part, job.clock.now())
        if hold is None:
            return

        def beat() -> None:
            self._context.heartbeat()
            if job.clock.monotonic() - self._looked_at >= PAUSE_S:
                self._look(phase, numbers)

        self._holds = hold
        screening = self._parts.screening
        carry_out_part(PartWork(job, self._context.org_id, hold, self._options, self._mode, screening, beat))
        self._holds = None

    def _show(self, phase: str, found: Sequence[RunPart]) -> None:
        own = self._holds
        done = sum(own.rows_done if own and own.part.part == part.part else part.rows_done for part in found)
        totals = [own.rows_total if own and own.part.part == part.part else part.rows_total for part in found]
        known = [total for total in totals if total is not None]
        self._job.progress.phase(phase, sum(known) if len(known) == len(totals) else None)
        self._job.progress.advance(max(0, done - self._shown))
        self._shown = max(self._shown, done)

    def _break_off(self, numbers: Sequence[int]) -> None:
        """End the parts, and count what they have done as far as it is told in time."""
        job = self._job
        try:
            end_parts(job.store, self._summary.run_id)
            until = job.clock.monotonic() + WAIT_FOR_HOLDERS_S
            while any(part.holder for part in self._list(numbers)) and job.clock.monotonic() < until:
                job.clock.sleep(PAUSE_S)
                free_abandoned(job.store, self._summary.run_id, job.clock.now())
            self._count([part for part in self._list(numbers) if part.holder is None])
        except RingfenceError as error:
            # The error that is on its way is the one to tell.
            logger.warning("not every part is counted (%s)", type(error).__name__)

    def _take_in(self, numbers: Sequence[int]) -> None:
        found = self._list(numbers)
        self._count(found)

        failed = [error_from_json(part.error) for part in found if part.error and part.state is PartState.FAILED]
        if failed:
            raise min(failed, key=lambda error: error.exit_code)
        for part in found:
            if part.error:
                self._parts.brake.pull(error_from_json(part.error))

    def _count(self, found: Sequence[RunPart]) -> None:
        tally, heartbeat = self._parts.screening.tally, self._context.lease.renew
        for part in found:
            calls = recover(
                self._job, self._context.org_id, part, self._summary, tally, lambda: heartbeat(self._job.clock.now())
            )
            self._summary.calls_of_parts += calls
