"""The table of the audit log."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text

from .column_types import metadata

audit = Table(
    "audit",  # who did what; rows are added and never changed, and each vouches for the one before it
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),  # UTC, as the text that the row's hash covers
    Column("author", Text, nullable=False),
    Column("action", String(20), nullable=False),  # see audit.AuditAction
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
