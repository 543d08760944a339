"""Limits of calls to an outside account that all who call it keep together: threads, and processes on one state.

Nothing here waits: whoever calls is told for how long, and waits by its own clock. An account is named by its service
and what tells it from others there, such as a host; never by a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import RetryError

LONGEST_PAUSE_S = 120.0
"""A pause beyond this is not waited for: see :meth:`CallLimits.reserve`."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` in any ``seconds``."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one call, until it is given back."""

    account: str
    id: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What a call meets that asks to go out: how many others are under way, and what was noted last, and when.

    ``note`` is a text that only the callers understand, empty where there is none; ``age_s`` is how old it is.
    """

    calls: int
    note: str
    age_s: float


Check = Callable[[UnderWay], None]
"""Raises where the call must not go out; nothing of it counts then."""


class CallLimits(Protocol):
    """Says when calls may go out. Safe with threads. Raises StoppedError where the store that they share is away."""

    def reserve(self, account: str, kind: str, rate: Rate) -> float:
        """Give the next call of this kind its place, and return how many seconds it is from now.

        Places keep the rate and lie behind every pause. Raises RetryError, with the seconds that are left, where a
        pause is longer than :data:`LONGEST_PAUSE_S`.
        """
        ...

    def pause(self, account: str, seconds: float, kind: str = "") -> None:
        """Let nobody call for so many seconds, because the other side asked for it; ``kind`` empty: no call at all."""
        ...

    def paused(self, account: str, kind: str = "") -> float:
        """Return for how many seconds nobody may call. Cheap enough to ask before each call. Raises as `reserve`."""
        ...

    def take(self, account: str, at_once: int, check: Check) -> Ticket | None:
        """Return the right to one of ``at_once`` calls at a time, None where all are under way; ask again then.

        Raises what ``check`` raises.
        """
        ...

    def give_back(self, ticket: Ticket, note: str | None = None) -> None:
        """Say that the call is over, with a note for the next ones; that of a dead process comes back by itself."""
        ...


def refuse_long_pause(seconds: float) -> None:
    """Raise RetryError for a pause that is not waited for."""
    if seconds > LONGEST_PAUSE_S:
        raise RetryError("The other side has asked for a pause.", "Wait for its end.", wait_s=seconds)
