"""The tables of what CRMs tell us of changes: notices that were heard, and journals that are read."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from .column_types import UtcDateTime, metadata

notices = Table(
    "notices",  # what a CRM has told us of, so that its repeats do nothing; forgotten after a few days
    metadata,
    Column("account", String(128), primary_key=True),
    Column("digest", LargeBinary(16), primary_key=True),  # of what makes a notice the same as another
    Column("heard_at", UtcDateTime, nullable=False),
    Index("notices_by_age", "heard_at"),
    sqlite_with_rowid=False,
)

journal_places = Table(
    "journal_places",  # how far the journal that a CRM keeps of its changes has been read
    metadata,
    Column("account", String(128), primary_key=True),
    Column("place", Text, nullable=False),  # the CRM's own words; empty: not read yet
    Column("looked_at", UtcDateTime, nullable=False),
)
