"""A schedule: read, checked as a whole, and what it starts when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from ringfence.core.config.schedule import ScheduledJob
from ringfence.core.config.schedule_file import Place, read_schedule
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.decisions.timetable import Tick, Timetable, find_problems
from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import DEFAULT_QUEUE, JobRequest
from ringfence.core.runs.scheduler import PlannedJob

from ..registry import crm_plugins
from ..wiring import Wiring
from .waking import sync_lock

SCHEDULE_FILE = Path("schedule.yaml")
"""Where the schedule lies unless told."""

SHOWN_TICKS = 5

_SYNC, _ALL = "sync", "--all"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line that was understood: its words without ``ringfence``, and the account it names, if any."""

    argv: tuple[str, ...]
    command: str
    account: str | None


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A job of a schedule with what it runs, by which queues, and when.

    A sync of all accounts is a job for each of ``accounts``, which are those of this process: so they go to all workers
    alike, and each to one that has the account.
    """

    job: ScheduledJob
    line: CommandLine
    timetable: Timetable
    accounts: tuple[str, ...] = ()

    @property
    def takes_all(self) -> bool:
        """Return whether it is a sync of all accounts."""
        return self.line.command == _SYNC and self.line.account is None

    @property
    def queues(self) -> tuple[str, ...]:
        """Return the queues that its jobs go to, as far as this process knows."""
        return self.accounts if self.takes_all else (self.line.account or DEFAULT_QUEUE,)

    def next_ticks(self, now: datetime, count: int = SHOWN_TICKS) -> list[Tick]:
        """Return the ticks that come next."""
        return list(islice(self.timetable.after(now), count))

    def plan(self) -> list[PlannedJob]:
        """Return what a scheduler needs of it."""
        if self.takes_all:
            return [self.plan_for(account) for account in self.accounts]
        return [self._plan(self.job.name, self.line.argv, self.line.account)]

    def plan_for(self, account: str) -> PlannedJob:
        """Return what a scheduler needs of a sync of all accounts for one of them."""
        argv = [account if word == _ALL else word for word in self.line.argv]
        return self._plan(f"{self.job.name} ({account})", argv, account)

    def _plan(self, name: str, argv: Sequence[str], account: str | None) -> PlannedJob:
        is_sync = self.line.command == _SYNC
        request = JobRequest(
            kind="command",
            arguments={"argv": list(argv), "schedule": self.job.name} | ({"account": account} if account else {}),
            queue=account or DEFAULT_QUEUE,
            lock=sync_lock(str(account)) if is_sync else None,
            queueing_lock=f"schedule:{name}",
        )
        return PlannedJob(name, self.timetable, request, self.job.overlap, self.job.missed)


@dataclass(frozen=True, slots=True)
class LoadedSchedule:
    """A schedule that was found right, with the name of its time zone."""

    timezone: str
    entries: tuple[ScheduleEntry, ...]

    def plan(self) -> list[PlannedJob]:
        """Return what a scheduler needs, for the accounts of this process."""
        return [planned for entry in self.entries for planned in entry.plan()]

    def plan_for(self, accounts: Iterable[str]) -> list[PlannedJob]:
        """Return what a scheduler needs besides for accounts that other processes have."""
        others = sorted(accounts)
        return [
            entry.plan_for(name)
            for entry in self.entries
            if entry.takes_all
            for name in others
            if name not in entry.accounts
        ]


def load_schedule(wiring: Wiring, path: Path, understand: Callable[[str], CommandLine]) -> LoadedSchedule:
    """Return the schedule in a file, checked in every respect that can be checked before it runs.

    ``understand`` reads a command line and raises UsageError for one that is wrong or not for a schedule. Raises
    FileError and ScheduleError, which names every problem with its line.
    """
    file = read_schedule(path)
    schedule, entries = file.schedule, []
    problems: list[tuple[Place, str]] = list(find_problems(schedule, wiring.clock.now()))
    accounts = tuple(wiring.accounts())

    for index, job in enumerate(schedule.jobs):
        try:
            line = understand(job.run)
            _check_account(wiring, line.account)
        except UsageError as error:
            problems.append((("jobs", index, "run"), str(error).removesuffix(".")))
            continue
        entries.append(ScheduleEntry(job, line, Timetable(job, schedule.zone), accounts))

    file.refuse(sorted(problems, key=lambda problem: [str(key) for key in problem[0]]))
    return LoadedSchedule(schedule.timezone, tuple(entries))


def _check_account(wiring: Wiring, name: str | None) -> None:
    """Raise UsageError for an account that nobody can have."""
    files = wiring.settings.account_files
    known = list(files or crm_plugins())
    if name is not None and name not in known:
        kind = "account" if files else "CRM"
        raise UsageError(f"There is no {kind} {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}.")
