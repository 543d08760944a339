"""What every connector is given by its caller: a clock and a store of access tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class Services:
    """The services that every connector is constructed with."""

    clock: Clock
    tokens: TokenStore = field(default_factory=MemoryTokens)
