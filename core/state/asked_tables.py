"""The table of checks that somebody asked for and that are to be bought."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from .column_types import UtcDateTime, metadata

asked_checks = Table(
    "asked_checks",  # numbers that somebody asked about, until a provider was asked
    metadata,
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),  # in vain so far
    Column("payload", LargeBinary, nullable=False),  # the number
    Index("asked_checks_by_time", "asked_at"),
)
