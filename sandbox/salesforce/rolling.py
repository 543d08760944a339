"""Amounts that count for 24 hours, as the daily limits of the service do (salesforce facts, sections 2.2, 2.3, 2.7)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

DAY = timedelta(days=1)


class Rolling:
    """What was used in the last 24 hours, kept by the minute."""

    def __init__(self) -> None:
        self._by_minute: Counter[datetime] = Counter()
        self._sum = 0

    def used(self, now: datetime) -> int:
        """Return the amount that still counts at an aware moment."""
        while self._by_minute and now - (oldest := next(iter(self._by_minute))) >= DAY:
            self._sum -= self._by_minute.pop(oldest)
        return self._sum

    def take(self, now: datetime, amount: int = 1) -> None:
        """Count an amount."""
        self._by_minute[now.replace(second=0, microsecond=0)] += amount
        self._sum += amount

    def set(self, now: datetime, amount: int) -> None:
        """Make the amount that counts this one: what is more was used now, less is a new beginning."""
        if amount < self.used(now):
            self._by_minute.clear()
            self._sum = 0
        self.take(now, amount - self._sum)
