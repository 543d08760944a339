"""Telling a wrong address from an outage: a host that never answered is reported at once, another is tried again."""

from __future__ import annotations

import requests
from urllib3.exceptions import NewConnectionError, ProxyError, SSLError

from ringfence.core.errors import RetryError, RingfenceError, UnreachableError


class FirstContact:
    """The hosts that have answered so far. ``remedy`` says which settings hold their addresses. Safe with threads."""

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._answered: set[str] = set()

    def note_answer(self, host: str) -> None:
        """Remember that the host has answered."""
        self._answered.add(host)

    def judge(self, host: str, fault: RetryError) -> RingfenceError:
        """Return the error for a connection that did not come about.

        That is ``fault`` for a host that has answered before and may come back, else an UnreachableError.
        """
        return fault if host in self._answered else self.unreachable(host)

    def unreachable(self, host: str) -> UnreachableError:
        """Return the error that names a host which takes no connection."""
        return UnreachableError(f"{host} cannot be reached.", self._remedy)


def never_connected(error: requests.RequestException) -> bool:
    """Return whether no connection came about, so that the request cannot have been carried out or billed."""
    if isinstance(error, requests.ConnectTimeout):
        return True

    # requests wraps urllib3's "gave up" around the reason.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, (NewConnectionError, ProxyError, SSLError))
