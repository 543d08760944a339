"""The clock of the sandbox services: real time that a test or a trial can push forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where a service's time comes from; SandboxClock fulfils it."""

    def now(self) -> datetime:
        """Return the present moment, aware."""
        ...


class SandboxClock:
    """Real time plus a settable offset.

    Takes the moment that the clock shall show now (aware), or nothing for the real time. It keeps running from there.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = timedelta(0) if start is None else start.astimezone(UTC) - datetime.now(UTC)

    def now(self) -> datetime:
        """Return the present moment of the sandbox as an aware UTC datetime."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by that many seconds; a negative number moves it back."""
        self._offset += timedelta(seconds=seconds)


class SkewedClock(SandboxClock):
    """Another clock that is some seconds ahead of a base, or behind it with a negative number; moving it moves both."""

    def __init__(self, base: SandboxClock, seconds: float) -> None:
        self._base = base
        self._skew = timedelta(seconds=seconds)

    def now(self) -> datetime:
        """Return the base's present moment plus the skew, as an aware UTC datetime."""
        return self._base.now() + self._skew

    def advance(self, seconds: float) -> None:
        """Move the base, and with it this clock, by that many seconds."""
        self._base.advance(seconds)
