"""The org's API calls: what Salesforce says of them, the daily reserve, and how many run at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringfence.core.errors import QuotaError

from .settings import VARIABLE

AT_ONCE = 4
"""Requests under way at one time, over all threads of a connector.

Salesforce lets an org have 25 of 20 seconds and more, 5 in Developer Edition and trial orgs (salesforce facts, section
2.1), for all its integrations together: these leave room to the others everywhere.
"""

FOR_WRITES = 10
"""Calls that reads leave, so that what they have brought can still be written and the run's place moves on."""

WINDOW = timedelta(hours=24)
"""How long Salesforce counts a call: the window rolls, and no header says when it has room again (section 2.7)."""

GOOD_FOR = timedelta(hours=1)
"""Age up to which a figure counts: later one call goes out to learn it anew, or a process that lives long would wait
for ever."""

_PARTS = re.compile(r"(?P<app>per-app-)?api-usage=(?P<used>\d+)/(?P<limit>\d+)(?:\(appName=(?P<name>[^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the last 24 hours and how many may be made; ``app`` where they are those of one app, not of the org."""

    used: int
    limit: int
    app: str | None = None

    def allowed(self, reserve: int) -> int:
        """Return how many may be used up, in all, when ``reserve`` percent are left to others."""
        return self.limit * (100 - reserve) // 100

    @property
    def whose(self) -> str:
        """Return whose calls these are, for the reader."""
        return "the org" if self.app is None else f"the app {self.app}"


def read_usage(header: str) -> tuple[Usage, ...]:
    """Return what ``Sforce-Limit-Info`` says: the org's usage, and beside it the app's where the app has a limit."""
    return tuple(
        Usage(int(part["used"]), int(part["limit"]), (part["name"] or "in use") if part["app"] else None)
        for part in _PARTS.finditer(header)
    )


class Quota:
    """Keeps the calls of one connector below the daily reserve and few at a time. Safe with threads.

    ``reserve`` is the percentage of the daily calls that is left to others. ``usages`` is what the last answer said,
    empty before the first one: that call is the only one that goes out unseen.
    """

    def __init__(self, reserve: int) -> None:
        self.reserve = reserve
        self.usages: tuple[Usage, ...] = ()
        self._learnt: datetime | None = None
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._under_way = 0

    def learn(self, header: str, now: datetime) -> None:
        """Take the usage from an answer's ``Sforce-Limit-Info``; an answer without one changes nothing."""
        if usages := read_usage(header):
            self.usages, self._learnt = usages, now

    @contextmanager
    def hold(self, now: datetime, *, reading: bool = False) -> Iterator[None]:
        """Hold one call, waiting while too many are under way. Raises QuotaError at the reserve, for reads a little
        before it; ``now`` is in UTC.
        """
        with self._slots:
            with self._lock:
                self._check(now, FOR_WRITES if reading else 0)
                self._under_way += 1
            try:
                yield
            finally:
                with self._lock:
                    self._under_way -= 1

    def _check(self, now: datetime, kept: int) -> None:
        if self._learnt is None or now - self._learnt > GOOD_FOR:
            # Only this call goes out unseen: the others go by the old figure until its answer is there.
            self._learnt = now
            return

        for usage in self.usages:
            # Calls whose answers are still out are in no figure yet.
            if usage.used + self._under_way + kept >= usage.allowed(self.reserve):
                raise QuotaError(
                    f"{usage.used:,} of {usage.limit:,} daily API calls of {usage.whose} are used, and "
                    f"{self.reserve} % are left to others{f', {kept} to writing what has been read' if kept else ''}.",
                    f"{when_to_go_on(now)} The reserve is {VARIABLE}DAILY_RESERVE, in percent.",
                )


def when_to_go_on(now: datetime) -> str:
    """Return the remedy for used-up calls.

    Salesforce says no time. What is certain: every call counted now has left the window 24 hours from now.
    """
    moment = (now + WINDOW).astimezone(UTC)
    return (
        f"Run again at {moment:%Y-%m-%d %H:%M} UTC, when every call counted now is older than 24 hours: it goes on "
        "from here. An earlier run goes as far as calls have become free by then."
    )
