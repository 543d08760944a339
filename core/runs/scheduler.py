"""What a schedule asks for, put on record as jobs when it is due: each tick once, however many schedulers there are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..config.schedule import Missed, Overlap
from ..decisions.timetable import Tick, Timetable
from ..errors import UsageError
from ..ports.jobs import JobRequest, Jobs, JobState
from ..ports.services import Clock
from ..state.ticks import TakenTick, TickJob, TickOutcome, Ticks

_log = logging.getLogger(__name__)

LATE_AFTER, LATE_SHARE, LATE_LEAST = timedelta(minutes=5), 10, timedelta(seconds=1)
"""How late a tick may be taken and still count as in time: so much, or such a part of a shorter interval."""

KEPT_FOR = timedelta(days=60)
"""How long a tick stays on record once a later one is there."""

_LOOK_BACK = (timedelta(days=2), timedelta(days=40), timedelta(days=400))
"""How far back the latest tick is looked for, the nearest first: a machine may have been off for months."""

_AT_IT = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job of a schedule: when it is due, what is put on record then, and what if it cannot be."""

    name: str
    timetable: Timetable
    request: JobRequest
    overlap: Overlap
    missed: Missed


class Scheduler:
    """Takes the ticks of a schedule as they fall due. Not to be shared among threads.

    ``find_more`` is asked at each step for jobs that come up while it runs; one that has come up stays. ``started`` and
    ``left_out`` count the ticks that were its own to take.
    """

    def __init__(
        self,
        planned: Sequence[PlannedJob],
        ticks: Ticks,
        jobs: Jobs,
        clock: Clock,
        find_more: Callable[[], Sequence[PlannedJob]] = tuple,
    ) -> None:
        self._planned = list(planned)
        self._find_more = find_more
        self._ticks = ticks
        self._jobs = jobs
        self._clock = clock
        self._seen: dict[str, datetime] = {}
        self._next: dict[str, Tick | None] = {}
        self._patience = {each.name: _find_patience(each.timetable, clock.now()) for each in planned}
        self._tidied_at: datetime | None = None
        self.started = 0
        self.left_out = 0

    def step(self) -> datetime | None:
        """Take every tick that is due now, and return when the next one is; None where none is to come.

        After an error it can be called again: what it has not done yet it does then. Raises StateError and
        StoppedError.
        """
        self._take_in(self._find_more())
        if new := [planned for planned in self._planned if planned.name not in self._next]:
            self._recall(new)
        now = self._clock.now()

        for job in self._ticks.over_time(now):
            self._ask_to_end(job)
        for planned in self._planned:
            tick = self._next[planned.name]
            if tick is not None and tick.starts_at <= now:
                due = self._find_due(planned, now)
                self._take(planned, due, now)
                self._go_on_behind(planned, due[-1].due_at)
        self._tidy(now)
        return min((tick.starts_at for tick in self._next.values() if tick), default=None)

    def _take_in(self, more: Sequence[PlannedJob]) -> None:
        for planned in more:
            if planned.name not in self._patience:
                self._planned.append(planned)
                self._patience[planned.name] = _find_patience(planned.timetable, self._clock.now())

    def _recall(self, new: Sequence[PlannedJob]) -> None:
        """Go on behind the ticks that are on record; a job that is new, or due at other times, counts from now."""
        # Ticks are whole seconds: what is no tick must not take the place of one.
        now, latest = self._clock.now().replace(microsecond=1), self._ticks.latest()
        for planned in new:
            known, rule = latest.get(planned.name), planned.timetable.rule
            if known is not None and known.rule == rule:
                self._go_on_behind(planned, known.due_at)
            else:
                self._ticks.leave_out(TakenTick(planned.name, now, rule), TickOutcome.KNOWN)
                self._go_on_behind(planned, now)

    def _go_on_behind(self, planned: PlannedJob, due_at: datetime) -> None:
        self._seen[planned.name] = due_at
        self._next[planned.name] = next(planned.timetable.after(due_at), None)

    def _find_due(self, planned: PlannedJob, now: datetime) -> list[Tick]:
        """Return the ticks since the last one seen, or the latest of them where they are many."""
        seen = self._seen[planned.name]
        for back in _LOOK_BACK:
            since = max(seen, now - back)
            if (due := _until(planned.timetable.after(since), now)) or since == seen:
                return due
        return _until(planned.timetable.after(seen), now)

    def _take(self, planned: PlannedJob, due: Sequence[Tick], now: datetime) -> None:
        """Start the latest of the ticks that are due, or leave it out; the earlier ones it stands for."""
        tick = due[-1]
        is_late = now - tick.starts_at > self._patience[planned.name]
        taken = TakenTick(planned.name, tick.due_at, planned.timetable.rule, tick.ends_at)

        if is_late and planned.missed is Missed.SKIP:
            self._leave_out(taken, TickOutcome.MISSED, "nothing ran the schedule at the time")
        elif tick.ends_at is not None and now >= tick.ends_at:
            self._leave_out(taken, TickOutcome.MISSED, "its window has closed")
        elif planned.overlap is Overlap.SKIP and self._is_at_it(planned.name):
            self._leave_out(taken, TickOutcome.OVERLAPPED, "the previous one is still at it")
        else:
            self._start(planned, taken, stands_for_others=is_late or len(due) > 1)

    def _start(self, planned: PlannedJob, tick: TakenTick, *, stands_for_others: bool) -> None:
        outcome = self._ticks.start(tick, planned.request, self._jobs)
        self.started += outcome is TickOutcome.STARTED
        self.left_out += outcome is TickOutcome.OVERLAPPED

        if outcome is TickOutcome.STARTED and stands_for_others:
            seen = self._seen[tick.name].isoformat()
            _log.warning("%s: started once for all that was due after %s", tick.name, seen)
        elif outcome is TickOutcome.STARTED:
            _log.info("%s: started", tick.name, extra={"due_at": tick.due_at})
        elif outcome is TickOutcome.OVERLAPPED:
            _log.warning("%s: not started, because one is waiting already", tick.name, extra={"due_at": tick.due_at})

    def _leave_out(self, tick: TakenTick, outcome: TickOutcome, why: str) -> None:
        if self._ticks.leave_out(tick, outcome):
            self.left_out += 1
            _log.warning("%s: not started, because %s", tick.name, why, extra={"due_at": tick.due_at})

    def _is_at_it(self, name: str) -> bool:
        job_id = self._ticks.latest_job(name)
        return job_id is not None and self._state(job_id) in _AT_IT

    def _ask_to_end(self, job: TickJob) -> None:
        """Ask a job to end whose window has closed; the next tick goes on where it ended."""
        if self._state(job.job_id) in _AT_IT:
            _log.warning("%s: asked to end, because its window has closed", job.name, extra={"job_id": job.job_id})
            self._jobs.cancel(job.job_id)
        self._ticks.asked_to_end(job)

    def _state(self, job_id: str) -> JobState:
        """Return where a job stands; one that is not on record any more is done."""
        try:
            return self._jobs.find(job_id).state
        except UsageError:
            return JobState.DONE

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at is None or now - self._tidied_at > timedelta(days=1):
            self._ticks.forget(now - KEPT_FOR)
            self._tidied_at = now


def _find_patience(timetable: Timetable, now: datetime) -> timedelta:
    gap = timetable.shortest_gap(now)
    return LATE_AFTER if gap is None else max(LATE_LEAST, min(LATE_AFTER, gap / LATE_SHARE))


def _until(ticks: Iterator[Tick], now: datetime) -> list[Tick]:
    due = []
    for tick in ticks:
        if tick.starts_at > now:
            break
        due.append(tick)
    return due
