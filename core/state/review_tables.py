"""The table of what waits for a person's decision."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from .column_types import UtcDateTime, Words, metadata

review_items = Table(
    "review_items",  # what waits for a person's decision, and what became of it
    metadata,
    Column("id", Integer, primary_key=True),
    Column("org_id", Integer, ForeignKey("orgs.id")),  # None: it is about a number, and about no record
    Column("reason", String(20), nullable=False),
    Column("object", String(100), nullable=False),  # with record_id: empty where it is about no record
    Column("record_id", String(40), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("number_key", LargeBinary(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("raised_again", Boolean, nullable=False),  # the flag went up again: to clear it now is another matter
    Column("resolution", String(20)),  # None: it waits
    Column("resolved_at", UtcDateTime),
    Column("author", Words(200)),
    Column("payload", LargeBinary, nullable=False),  # number and evidence, later the note
    Column("ledger", String(100)),  # of one that is about no record; else the account tells it
    Index("review_items_by_record", "org_id", "object", "record_id"),
    Index("review_items_by_number", "number_key"),
)
