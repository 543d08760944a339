"""The org's API calls: the usage that Salesforce reports, the daily reserve, and how many calls run at once."""

from __future__ import annotations

import json
import re
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringfence.core.errors import QuotaError
from ringfence.core.ports.call_limits import UnderWay

from ..http.account_calls import AccountCalls
from .settings import VARIABLE

AT_ONCE = 4
"""Requests under way at one time, over all threads and processes that share the org's limits.

Salesforce lets all integrations of an org together have 25 calls of 20 seconds and more at once, 5 in Developer Edition
and trial orgs (docs/vendors/salesforce.md, section 2.1). Four leave room to the others in both.
"""

FOR_WRITES = 10
"""Calls that reads leave over, so that the results of what was read can still be written and the cursor moves on."""

WINDOW = timedelta(hours=24)
"""How long Salesforce counts a call. The window rolls, and no header says when it has room again
(salesforce.md, section 2.7)."""

GOOD_FOR = timedelta(hours=1)
"""Age up to which a reported usage is relied on. After it one call goes out to learn the usage anew; else a process
that lives long would never call again."""

NOTE_GOOD_FOR = timedelta(minutes=5)
"""Age up to which a usage counts that another process was told."""

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
        """Return whose calls these are, in words for messages."""
        return "the org" if self.app is None else f"the app {self.app}"


def read_usage(header: str) -> tuple[Usage, ...]:
    """Return the usages in a ``Sforce-Limit-Info`` header: the org's, and the app's where the app has a limit."""
    return tuple(
        Usage(int(part["used"]), int(part["limit"]), (part["name"] or "in use") if part["app"] else None)
        for part in _PARTS.finditer(header)
    )


class Quota:
    """Keeps the calls to an org out of the daily reserve, and few at a time. Safe with threads.

    ``reserve`` is the percentage of the daily calls that is left to others. ``usages`` are those of the last answer,
    empty before the first one: the first call is the only one that goes out with the usage unknown. What one process
    was told it leaves as a note to the others that share the limits, as its call ends.
    """

    def __init__(self, reserve: int) -> None:
        self.reserve = reserve
        self.usages: tuple[Usage, ...] = ()
        self._learned_at: datetime | None = None
        self._told: tuple[datetime, str] | None = None
        self._lock = threading.Lock()

    def learn(self, header: str, now: datetime) -> None:
        """Remember the usage in an answer's ``Sforce-Limit-Info``, if any; ``now`` is in UTC."""
        if usages := read_usage(header):
            with self._lock:
                self.usages, self._learned_at, self._told = usages, now, (now, header)

    def hold(self, calls: AccountCalls, now: datetime, *, reading: bool = False) -> AbstractContextManager[None]:
        """Count one of the ``calls`` to the org as under way, waiting while too many are; ``now`` is in UTC.

        Raises QuotaError where the call would use up the reserve; for reads :data:`FOR_WRITES` calls before it.
        """
        before = self._told

        def check(met: UnderWay) -> None:
            with self._lock:
                self._adopt(met.note, now)
                self._check(now, FOR_WRITES if reading else 0, met.calls)

        def note() -> str | None:
            told = self._told
            return None if told is None or told == before else json.dumps([told[0].isoformat(), told[1]])

        return calls.hold(AT_ONCE, check, note)

    def _adopt(self, note: str, now: datetime) -> None:
        """Go by what another process was told, where that is newer than what this one knows."""
        if not note:
            return
        moment, header = json.loads(note)
        told_at = datetime.fromisoformat(moment)
        if abs(now - told_at) <= NOTE_GOOD_FOR and (self._learned_at is None or told_at > self._learned_at):
            self.usages, self._learned_at = read_usage(header), told_at

    def _check(self, now: datetime, left_over: int, under_way: int) -> None:
        if self._learned_at is None or now - self._learned_at > GOOD_FOR:
            # Only this call goes out with the usage unknown: the others go by the old one until its answer is there.
            self._learned_at = now
            return

        to_writes = f", {left_over} to writing what has been read" if left_over else ""
        for usage in self.usages:
            # Calls without an answer yet are in no reported usage.
            if usage.used + under_way + left_over >= usage.allowed(self.reserve):
                raise QuotaError(
                    f"{usage.used:,} of {usage.limit:,} daily API calls of {usage.whose} are used, and "
                    f"{self.reserve} % are left to others{to_writes}.",
                    f"{when_to_go_on(now)} The reserve is {VARIABLE}DAILY_RESERVE, in percent.",
                )


def when_to_go_on(now: datetime) -> str:
    """Return the remedy for used-up calls.

    Salesforce reports no time. Certain is only that each call that counts now has left the window in 24 hours.
    """
    moment = (now + WINDOW).astimezone(UTC)
    return (
        f"Run again at {moment:%Y-%m-%d %H:%M} UTC, when every call counted now is older than 24 hours: it goes on "
        "from here. An earlier run goes as far as calls have become free by then."
    )
