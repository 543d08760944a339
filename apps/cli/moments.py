"""Moments as they are written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from ringfence.core.errors import UsageError


def read_since(since: str | None) -> datetime | None:
    """Return the moment of a day or a moment in ISO form, UTC unless it says otherwise; None for none.

    Raises UsageError for a text that is neither.
    """
    if since is None:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        raise UsageError(
            f"--since {since!r} is no date.", "Write it as 2026-11-30, or as 2026-11-30T09:00:00Z."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
