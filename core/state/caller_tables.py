"""The table of those who may call the service."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from .column_types import UtcDateTime, Words, metadata

tokens = Table(
    "tokens",  # who may call the service; of a token only its hash is kept
    metadata,
    Column("name", Words(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Words(200), nullable=False),
    sqlite_with_rowid=False,
)
