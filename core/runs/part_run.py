"""One part of a run carried out: the same reading, deciding and writing as a sync's own, over a range of records.

How far it is, and what is counted by that, is stored together, once every row read so far has an outcome. What was
written behind that point is in the journal: whoever goes on after a worker that died counts it from there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import BusyError, GuardError, RingfenceError, StateError, Terminated
from ..ports.partitions import RangeFeed, Splittable
from ..screening.gateway import Tally
from ..screening.screening import Screening
from ..state.journal import Journal, last_seq
from ..state.leases import Lease
from ..state.part_holds import PartHold
from ..state.run_parts import PartState, Phase, RunPart
from .brake import Brake
from .cursor_tracker import CursorTracker
from .mode import RunMode
from .options import SyncOptions
from .page_reader import PageReader, PageSource
from .part_counts import counts_to_json
from .part_errors import error_to_json
from .part_recovery import recover
from .parts import assemble
from .rehearsed import Rehearsed
from .run import RunContext, SyncJob
from .summary import Summary

logger = logging.getLogger(__name__)

KEEP_EVERY_S = 10.0
"""How often the place in a part is stored, in seconds: what a worker that dies has read since is read again."""


@dataclass(frozen=True, slots=True)
class PartWork:
    """A part that is held, and what it takes to carry it out.

    ``screening`` is the run's own where the process that coordinates the run works at the part itself: what is bought
    is counted there, and so are the calls. Otherwise both are counted with the part. ``heartbeat`` is called with every
    word that the part is worked at. ``counted`` are the calls that the connection had made before, for other parts.
    """

    job: SyncJob
    org_id: int
    hold: PartHold
    options: SyncOptions
    mode: RunMode
    screening: Screening | None = None
    heartbeat: Callable[[], None] = lambda: None
    keep_every_s: float = KEEP_EVERY_S
    counted: Mapping[str, int] = field(default_factory=dict)


def carry_out_part(work: PartWork) -> None:
    """Carry the part out, and record how it ended.

    An error ends the part and is on record for the run. Raises Terminated or KeyboardInterrupt after the part was
    handed back, and StateError where the store does not work.
    """
    run = PartRun(work)
    try:
        run.go()
    except (Terminated, KeyboardInterrupt):
        run.close(finish=True)
        work.hold.hand_back()
        raise
    except BusyError as busy:
        logger.info("%s", busy.message)
        run.give_way()
    except StateError:
        run.close()
        with suppress(RingfenceError):
            work.hold.hand_back()
        raise
    except Exception as failure:  # noqa: BLE001 - the run raises it once its opt-outs are enforced
        logger.warning("part %d ends early (%s)", work.hold.part.part, type(failure).__name__)
        run.give_up()
        work.hold.end(PartState.FAILED, run.counts(), error_to_json(failure))


class PartRun:
    """A part of a run on its way."""

    def __init__(self, work: PartWork) -> None:
        part, job = work.hold.part, work.job
        self._work = work
        self._summary = Summary(part.run_id, job.crm.name, org=job.org.name)
        if part.phase is Phase.CHANGED:
            self._summary.tally.whole = frozenset((part.object,))

        self._journal = Journal(job.store, part.run_id, after=last_seq(job.store, part.stretch))
        self._lease = PartLease(work)
        self._context = RunContext(job, work.org_id, self._lease, self._journal)
        self._places = _Places(self._keep, work.keep_every_s, job.clock.monotonic)
        self._parts = assemble(
            self._context,
            work.options,
            self._summary,
            work.mode,
            screening=work.screening,
            tracker=self._places,
            part=part.part,
        )
        self._lease.brake = self._parts.brake
        self._tally = Tally() if work.screening else self._parts.screening.tally
        self._calls: Counter[str] = Counter()

    def go(self) -> None:
        """Go on with the part where it was stored, to its end."""
        work, part, crm = self._work, self._work.hold.part, self._work.job.crm
        if not isinstance(crm, Splittable):
            raise StateError(
                f"{crm.name} reads its records in one piece, and run {part.run_id} has parts.",
                "Use the same version for all workers.",
            )

        self._calls += recover(work.job, work.org_id, part, self._summary, self._tally, self._context.heartbeat)
        feed = crm.open_range(part.object, part.range, part.position)
        self._read(feed, part)
        feed.finish()

        self.close()
        told = self._lease.own_guard or (None if work.hold.silent else self._parts.brake.error)
        work.hold.end(PartState.DONE, self.counts(), error_to_json(told) if told else None)

    def _read(self, feed: RangeFeed, part: RunPart) -> None:
        work, parts = self._work, self._parts
        progress = PartProgress(work)
        source = PageSource(work.job.crm, work.job.shapes, progress, self._context.heartbeat, None)
        reader = PageReader(
            source,
            parts.examiner,
            parts.outbox,
            parts.queue,
            parts.tracker,
            parts.ledger,
            parts.brake,
            frozenset(),
            accept_mass_change=work.options.accept_mass_change,
            rehearsed=Rehearsed(),
        )
        if part.phase is Phase.CHANGED:
            reader.read("all records", feed.changed())
        else:
            parts.queue.end_with_budget()  # only records that owe a lookup are to come
            before = datetime.fromisoformat(part.instructions["before"])
            reader.read("due records", feed.due(before))

    def _keep(self, position: str) -> bool:
        """Store the place once every row read so far has an outcome; return False where that has to wait."""
        parts = self._parts
        if parts.outbox.holds_back or parts.brake.pulled:
            return False  # half a bulk job costs as much as a whole one; and behind a brake rows are left

        parts.queue.flush()
        self._work.hold.keep(position, self.counts())
        return True

    def counts(self) -> dict[str, Any]:
        """Return all that is counted."""
        own = Counter(self._work.job.crm.calls) - Counter(self._work.counted)
        calls = self._calls if self._work.screening else self._calls + own
        return counts_to_json(self._summary, self._tally, calls, self._journal.last)

    def close(self, *, finish: bool = False) -> None:
        """End the sending, with an outcome for what has one; ``finish`` sends what was handed over."""
        self._parts.queue.count_done(self._parts.processor.close(finish=finish))

    def give_up(self) -> None:
        """Part with what is on its way; what a failed write has left is found out by the run that follows."""
        self._parts.queue.give_up()
        self.close()

    def give_way(self) -> None:
        """End because somebody else decides: the run has ended the part, or it is another's by now."""
        hold, outbox = self._work.hold, self._parts.outbox
        if hold.lost:
            outbox.close(())
            return

        self.close(finish=hold.is_run_alive)
        if outbox.sender is not None and outbox.sender.is_alive():
            return  # nobody may begin before it ends
        if hold.is_run_alive:
            hold.leave(self.counts())
        else:
            hold.hand_back()  # its process may only have been silent for long


class PartLease(Lease):
    """A run's lease, as a part of the run sees it: each heartbeat asks whether the part may still go on."""

    def __init__(self, work: PartWork) -> None:
        super().__init__(work.job.store, work.org_id, work.hold.part.run_id, work.job.clock.now())
        self._work = work
        self.brake = Brake()
        self.own_guard: Exception | None = None

    def renew(self, now: datetime) -> None:
        """Say that the part is worked at. Raises BusyError where it must not go on."""
        self._work.heartbeat()
        hold = self._work.hold
        hold.check(now)

        if self.brake.error is not None and not hold.silent:
            self._tell(self.brake.error)
        if hold.silent:
            self.brake.pull(
                GuardError("Another part of the run would have changed far more than expected.", "See its run.")
            )

    def _tell(self, error: Exception) -> None:
        if self.own_guard is None:
            self.own_guard = error
            self._work.hold.tell(error_to_json(error))


class PartProgress:
    """Notes with the part how far it is; what the run's own process does is shown by the run."""

    def __init__(self, work: PartWork) -> None:
        self._work = work

    def phase(self, name: str, total: int | None = None) -> None:  # noqa: ARG002 - the contract's parameters
        """Note how many records the part holds."""
        self._work.hold.advance(0, total)

    def advance(self, records: int) -> None:
        """Note that so many more records have an outcome."""
        self._work.hold.advance(records, None)

    def bought(self, lookups: int, cost: float = 0.0, currency: str = "") -> None:
        """Show how many lookups the run has bought so far, and what they cost."""
        self._work.job.progress.bought(lookups, cost, currency)


class _Places(CursorTracker):
    """Stores the place behind a page now and then."""

    def __init__(self, keep: Callable[[str], bool], every_s: float, monotonic: Callable[[], float]) -> None:
        super().__init__(lambda _passed: None)
        self._keep = keep
        self._every_s = every_s
        self._monotonic = monotonic
        self._kept_at = monotonic()

    def end_page(self, object_name: str, cursor: str | None) -> None:
        """Take in that all due records of a page are queued, and store its end where it is time for that."""
        super().end_page(object_name, cursor)
        if cursor is not None and self._monotonic() - self._kept_at >= self._every_s and self._keep(cursor):
            self._kept_at = self._monotonic()
