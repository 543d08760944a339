"""When something is to be started: ticks of a cron expression or an interval, within a window, with a jitter.

Everything follows from the schedule and the moment alone, so that any number of schedulers come to the same ticks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ..config.schedule import Schedule, ScheduledJob, name_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE, _SAMPLE_TIME = 400, timedelta(days=800)
"""How many ticks, and for how long a time, are looked at for the shortest time between two."""

_TRIES, _HORIZON = 90_000, timedelta(days=400)
"""How far is looked for a tick of an interval within the window: a day of seconds, a year of hours."""


@dataclass(frozen=True, slots=True, order=True)
class Tick:
    """A moment at which a job is due; all moments are aware, in UTC.

    ``starts_at`` is later by the jitter. ``ends_at`` is when the job is asked to end, None where it may take its time.
    """

    due_at: datetime
    starts_at: datetime
    ends_at: datetime | None = None


class Timetable:
    """The ticks of one job of a schedule."""

    def __init__(self, job: ScheduledJob, zone: ZoneInfo) -> None:
        self._job = job
        self._zone = zone
        self._cron = _as_fixed_times(job.cron) if job.cron else ""

    @property
    def rule(self) -> str:
        """Return a digest of all that the ticks follow from: another one means that they are others."""
        job = self._job
        said = f"{job.cron}|{job.every}|{job.window}|{self._zone.key}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def after(self, moment: datetime) -> Iterator[Tick]:
        """Yield the ticks that are due later than the moment and lie within the window, in their order."""
        for due_at in self._moments(moment):
            local = due_at.astimezone(self._zone)
            window = self._job.window
            if window is None or window.holds(local.time()):
                yield self._tick(due_at)

    def shortest_gap(self, now: datetime) -> timedelta | None:
        """Return the shortest time between two of the ticks that come next; None where there are not two."""
        soon = takewhile(lambda moment: moment < now + _SAMPLE_TIME, self._moments(now))
        some = list(islice(soon, _SAMPLE))
        return min((later - earlier for earlier, later in pairwise(some)), default=None)

    def never_comes(self, now: datetime) -> bool:
        """Return whether no tick is to be expected at all, be it within the window or not."""
        return next(self._moments(now), None) is None

    def misses_window(self, now: datetime) -> bool:
        """Return whether none of the ticks lies within the window, but for the night of a skipped hour."""
        window = self._job.window
        if window is None:
            return False
        if self._cron:
            fields = CronSim(self._cron, _EPOCH)
            return not any(window.holds(time(hour, minute)) for hour in fields.hours for minute in fields.minutes)

        soon = takewhile(lambda moment: moment < now + _HORIZON, self._moments(now))
        return not any(window.holds(moment.astimezone(self._zone).time()) for moment in islice(soon, _TRIES))

    def _moments(self, after: datetime) -> Iterator[datetime]:
        if self._job.every is not None:
            yield from _multiples(self._job.every, after)
        else:
            yield from _cron_moments(self._cron, self._zone, after)

    def _tick(self, due_at: datetime) -> Tick:
        ends_at = self._end_of_window(due_at)
        starts_at = due_at + _draw(self._job.name, due_at, self._job.jitter)
        # Near the end of the window a jitter must not make a tick be left out.
        return Tick(due_at, due_at if ends_at and starts_at >= ends_at else starts_at, ends_at)

    def _end_of_window(self, due_at: datetime) -> datetime | None:
        """Return when the window that holds the tick closes, by the wall clock."""
        window = self._job.window
        if window is None or window.start == window.end:
            return None

        local = due_at.astimezone(self._zone)
        end = local.replace(hour=window.end.hour, minute=window.end.minute, second=0, microsecond=0, fold=0)
        if window.end <= local.time():
            end += timedelta(days=1)
        # In the night in which an hour comes twice, the end may be the second one of its name.
        ends = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return next((moment for moment in ends if moment > due_at), None)


def find_problems(schedule: Schedule, now: datetime) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what cannot be meant in a schedule that is well formed: where it stands, and what is wrong."""
    for index, job in enumerate(schedule.jobs):
        table = Timetable(job, schedule.zone)
        if table.never_comes(now):
            yield ("jobs", index, "cron"), f"{job.cron!r} names a day that never comes"
        elif table.misses_window(now):
            when = f"the cron expression {job.cron!r}" if job.cron else "the interval, counted from midnight UTC,"
            yield ("jobs", index, "window"), f"{when} never falls into {job.window} ({schedule.timezone})"
        elif (gap := table.shortest_gap(now)) is not None and job.jitter > gap:
            yield ("jobs", index, "jitter"), f"two ticks may lie {name_duration(gap)} apart, and it is longer"


def _as_fixed_times(cron: str) -> str:
    """Return a cron expression of the same moments whose minutes are listed where its hours are.

    What is due at fixed hours keeps its number of starts a day: with minutes such as ``*/30``, cron would leave those
    of a skipped hour out and double those of a doubled one.
    """
    minute, hour, *rest = cron.split()
    if hour.startswith("*") or not minute.startswith("*"):
        return cron
    minutes = ",".join(str(each) for each in sorted(CronSim(cron, _EPOCH).minutes))
    return " ".join([minutes, hour, *rest])


def _cron_moments(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    last = after
    for local in CronSim(cron, after.astimezone(zone)):
        moment = local.astimezone(UTC)
        # Begun within a doubled hour, or just before a skipped one, it may name a moment that has passed.
        if moment > last:
            last = moment
            yield moment


def _multiples(interval: timedelta, after: datetime) -> Iterator[datetime]:
    count = (after - _EPOCH) // interval
    while True:
        count += 1
        yield _EPOCH + count * interval


def _draw(name: str, due_at: datetime, jitter: timedelta) -> timedelta:
    """Return a delay of whole seconds below the jitter: another one for each tick, and the same in every process."""
    most = int(jitter.total_seconds())
    digest = hashlib.sha256(f"{name}|{due_at.isoformat()}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8]) % most if most else 0)
