"""Counts and days in words."""

from __future__ import annotations

from datetime import datetime


def count(number: int, thing: str) -> str:
    """Return a count with its unit: ``1 record``, ``2,883 records``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def describe_seconds(seconds: float) -> str:
    """Return a length of time as people say it: ``less than a second``, ``about 40 seconds``, ``about 3 hours``."""
    if seconds < 1:
        return "less than a second"
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"about {count(round(seconds / size), unit)}"
    return f"about {count(round(seconds), 'second')}"


def name_day(moment: datetime) -> str:
    """Return the UTC day of a moment, such as ``30 December 2026``."""
    return f"{moment.day} {moment:%B %Y}"
