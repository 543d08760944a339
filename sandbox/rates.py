"""Rate limits of the sandbox services: rolling windows and the counter of the day."""

from collections import deque
from datetime import datetime, timedelta


class RollingWindow:
    """A rate limit of `limit` requests in any `seconds`; refused requests do not count."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._taken: deque[datetime] = deque()

    def take(self, now: datetime) -> bool:
        """Count a request at `now` (aware) and return True; return False, and count none, when the limit is reached."""
        self._forget(now)
        if len(self._taken) >= self.limit:
            return False
        self._taken.append(now)
        return True

    def remaining(self, now: datetime) -> int:
        """Return how many more requests pass at `now` (aware)."""
        self._forget(now)
        return max(0, self.limit - len(self._taken))

    def _forget(self, now: datetime) -> None:
        start = now - timedelta(seconds=self.seconds)
        while self._taken and not start < self._taken[0] <= now:
            self._taken.popleft()


class DailyCounter:
    """A daily quota: `limit` requests from one midnight (UTC) to the next; `used` of them have been made."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._day: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Count a request at `now` (aware UTC) and return True; return False when the quota of the day is used up."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if day != self._day:
            self._day, self.used = day, 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    @property
    def remaining(self) -> int:
        """How many requests are left today."""
        return max(0, self.limit - self.used)
