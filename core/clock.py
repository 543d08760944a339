"""The system clock, and moments in whole seconds. A clock is handed in wherever time matters, so that tests set it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The clock of the machine, which everything but tests uses."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return a time in seconds that never runs backwards, for measuring and for rate limits."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for so many seconds."""
        time.sleep(seconds)


def whole_seconds(moment: datetime) -> datetime:
    """Return the moment in UTC without fractions, as the last-screened companion holds it (contract.md, section 2)."""
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    return moment.astimezone(UTC).replace(microsecond=0)
