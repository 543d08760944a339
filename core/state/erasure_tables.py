"""The tables of what was destroyed: the marks of erased numbers, and the records of destruction."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table, Text

from .column_types import UtcDateTime, Words, metadata

erased_numbers = Table(
    "erased_numbers",  # numbers that were erased: all that is left of them, so that nothing brings them back
    metadata,
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("national_key", LargeBinary(16), nullable=False),  # of its digits without the calling code
    Column("erased_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

destructions = Table(
    "destructions",  # what was destroyed, by whom and why; stays when the history is forgotten
    metadata,
    Column("id", String(40), primary_key=True),  # that of its run in the history
    Column("action", String(20), nullable=False),  # purge or erase
    Column("author", Words(200), nullable=False),
    Column("reason", Words, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # None: it was cut off, and whoever repeats it makes a record of the rest
    Column("up_to", UtcDateTime),  # of a purge: what ended before this moment
    Column("destroyed", Text),  # JSON: rows by table
)
