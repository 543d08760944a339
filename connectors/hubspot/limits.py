"""HubSpot's two rate limits, kept rather than run into."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ringfence.core.ports.call_limits import Rate

from ..http.account_calls import AccountCalls

SEARCHES_PER_SECOND = 4
"""HubSpot documents five a second for the whole account, but recorded refusals begin with the fifth."""

CALLS = 100
WINDOW_MS = 10_000
"""The smallest published rate limit of an app, which holds until an answer's headers give the portal's own."""

_SHARE = 0.95  # calls can arrive closer together than they were sent


_SEARCH, _CALL = "search", "call"


class PortalLimits:
    """One limit for searches and one for all other calls; the size of the latter is learnt from answers.

    All that share the ``calls`` to the portal keep them together.
    """

    def __init__(self, calls: AccountCalls) -> None:
        self._calls = calls
        self._size = (CALLS, WINDOW_MS)
        self._day: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Return the limit of calls that are no searches, as (calls, milliseconds)."""
        return self._size

    @property
    def day(self) -> tuple[int, int] | None:
        """Return how many calls are left today, and how many there are a day; None where no answer has told yet."""
        return self._day

    def acquire(self, *, search: bool) -> None:
        """Return when one more call is allowed. Raises RetryError where HubSpot asked for a pause that is too long."""
        if search:
            self._calls.wait_for_place(_SEARCH, Rate(SEARCHES_PER_SECOND, 1.0))
            return
        calls, window_ms = self._size
        self._calls.wait_for_place(_CALL, Rate(max(1, int(calls * _SHARE)), window_ms / 1000))

    def pause(self, seconds: float, *, search: bool, every: bool) -> None:
        """Let no call of this sort go out for so long, or none at all where HubSpot asks it of ``every`` call."""
        self._calls.pause(seconds, "" if every else _SEARCH if search else _CALL)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Adopt the limit in an answer's headers, which answers to searches leave out, and what is left of the day."""
        with suppress(KeyError, ValueError):
            left, limit = headers["X-HubSpot-RateLimit-Daily-Remaining"], headers["X-HubSpot-RateLimit-Daily"]
            self._day = (int(left), int(limit))
        try:
            size = (
                int(headers["X-HubSpot-RateLimit-Max"]),
                int(headers["X-HubSpot-RateLimit-Interval-Milliseconds"]),
            )
        except (KeyError, ValueError):
            return

        if min(size) > 0:
            self._size = size
