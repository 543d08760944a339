"""The table of notices that CRMs have sent us."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table

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
