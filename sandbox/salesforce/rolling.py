"""Rolling 24-hour totals, as the daily limits of the service use (salesforce.md, sections 2.2, 2.3, 2.7)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

DAY = timedelta(days=1)


class Rolling:
    """The total of the last 24 hours, kept by the minute."""

    def __init__(self) -> None:
        self._by_minute: Counter[datetime] = Counter()
        self._sum = 0

    def used(self, now: datetime) -> int:
        """Return the total of the 24 hours before `now` (aware)."""
        while self._by_minute and now - (oldest := next(iter(self._by_minute))) >= DAY:
            self._sum -= self._by_minute.pop(oldest)
        return self._sum

    def take(self, now: datetime, amount: int = 1) -> None:
        """Add an amount at `now` (aware)."""
        self._by_minute[now.replace(second=0, microsecond=0)] += amount
        self._sum += amount

    def set(self, now: datetime, amount: int) -> None:
        """Set the total: a higher one counts the difference at `now` (aware), a lower one starts all over."""
        if amount < self.used(now):
            self._by_minute.clear()
            self._sum = 0
        self.take(now, amount - self._sum)
