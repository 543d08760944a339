"""The table of records that somebody told us to look at."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from .column_types import UtcDateTime, metadata

wakes = Table(
    "wakes",  # records to be synced on their own, because somebody said that something about them is new
    metadata,
    Column("account", String(128), primary_key=True),  # what commands call it: nobody need have been there yet
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("mark", String(32), nullable=False),  # of the latest telling: a record that is told of again is read again
    Column("since", UtcDateTime, nullable=False),
)
