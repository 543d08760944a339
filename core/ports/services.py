"""What every connector is given by its caller: a clock, access tokens, limits of calls, how long it may still wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Protocol

from .call_limits import CallLimits
from .own_limits import OwnLimits


class Clock(Protocol):
    """Tells the time and waits, so that tests need not."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        ...


class TokenStore(Protocol):
    """Keeps short-lived access tokens, so that connectors of one process share a log-in."""

    def get(self, key: str) -> tuple[str, str] | None:
        """Return (access token, instance URL) for the key, or None."""
        ...

    def put(self, key: str, token: tuple[str, str]) -> None:
        """Keep the token for the key."""
        ...

    def drop(self, key: str) -> None:
        """Forget the token, because the CRM refused it."""
        ...


class MemoryTokens:
    """A token store for one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, str]] = {}

    def get(self, key: str) -> tuple[str, str] | None:
        """Return (access token, instance URL) for the key, or None."""
        return self._tokens.get(key)

    def put(self, key: str, token: tuple[str, str]) -> None:
        """Keep the token for the key."""
        self._tokens[key] = token

    def drop(self, key: str) -> None:
        """Forget the token for the key."""
        self._tokens.pop(key, None)


def no_hurry() -> float:
    """Return that answers may be waited for without end: nobody has asked the process to end."""
    return inf


@dataclass(frozen=True, slots=True)
class Services:
    """The services that every connector is constructed with.

    ``patience`` returns for how many seconds more an answer that is on its way may be waited for. It is infinite until
    the process is asked to end; from then on nothing new is asked either. ``limits`` say when calls may go out; those
    of one process alone where no others are given.
    """

    clock: Clock
    tokens: TokenStore = field(default_factory=MemoryTokens)
    patience: Callable[[], float] = no_hurry
    limits: CallLimits = field(default=None)  # type: ignore[assignment]  # made below where none are given

    def __post_init__(self) -> None:
        """Make limits for this process by its clock where no others are given."""
        if self.limits is None:
            object.__setattr__(self, "limits", OwnLimits(self.clock.monotonic))
