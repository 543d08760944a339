"""What connectors are handed: the time and the access tokens of this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        ...


class Limiter(Protocol):
    """Keeps one limit of the other side."""

    def acquire(self) -> None:
        """Return when one more call is allowed."""
        ...


class TokenStore(Protocol):
    """Where short-lived access tokens are kept, so that connectors of one process share a log-in."""

    def get(self, key: str) -> tuple[str, str] | None:
        """Return (access token, instance URL) for the key, or None."""
        ...

    def put(self, key: str, token: tuple[str, str]) -> None:
        """Keep the token for the key."""
        ...

    def drop(self, key: str) -> None:
        """Forget the token, because it was refused."""
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
    """What every connector is handed."""

    clock: Clock
    tokens: TokenStore = field(default_factory=MemoryTokens)
