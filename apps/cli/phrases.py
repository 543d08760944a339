"""Counts and days in words."""

from __future__ import annotations

from datetime import datetime


def count(number: int, thing: str) -> str:
    """Return a count with its unit: ``1 record``, ``2,883 records``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def name_day(moment: datetime) -> str:
    """Return the UTC day of a moment, such as ``30 December 2026``."""
    return f"{moment.day} {moment:%B %Y}"
