"""The tables of what was heard from outside: which signals, and the evidence in them. Part of the schema."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from .column_types import UtcDateTime, Words, metadata

heard_signals = Table(
    "heard_signals",  # which signals were heard, so that the same one told again does nothing
    metadata,
    Column("vendor", String(40), primary_key=True),
    Column("id_key", LargeBinary(16), primary_key=True),  # a keyed hash of the vendor's id, which may hold a number
    Column("heard_at", UtcDateTime, nullable=False),
    Column("timeless", Boolean, nullable=False),  # its signature covers no time: it could be told again at any time
    sqlite_with_rowid=False,
)

_WORDS = text("word IS NOT NULL AND outcome IS NULL")
"""What people wrote that asked for something: few rows, among which the latest of a number is looked for."""

evidence = Table(
    "evidence",  # what became of messages and calls, and what people answered: never a verdict by itself
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("ledger", String(100), nullable=False),  # empty: the one that accounts share
    Column("number_key", LargeBinary(16), nullable=False),
    Column("source", String(40), nullable=False),  # who told it: a vendor, a dialler
    Column("outcome", String(20)),  # see model.signals.Outcome; None: a message of a person
    Column("word", String(20)),  # see model.signals.OptOutWord; None: it asked for nothing
    Column("code", Words(80), nullable=False),  # the vendor's own
    Column("channel", String(10), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
    Column("account", String(100)),  # with object and record_id: the record that it was told of
    Column("object", String(100)),
    Column("record_id", String(40)),
    Column("payload", LargeBinary, nullable=False),  # number, the vendor's id, what was said, our own number
    Index("evidence_by_number", "ledger", "number_key", "occurred_at"),
    Index("evidence_by_time", "occurred_at"),
    Index(
        "evidence_by_word",
        *("ledger", "number_key", "source", "word", "occurred_at"),
        sqlite_where=_WORDS,
        postgresql_where=_WORDS,
    ),
)

number_signs = Table(
    "number_signs",  # the latest signs of each number: what a sync reads of its evidence
    metadata,
    Column("ledger", String(100), primary_key=True),
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("latest_at", UtcDateTime, nullable=False),
    Column("stirred", BigInteger),  # grows with each news for the records that hold it; None: there was none yet
    Column("payload", LargeBinary, nullable=False),
    Index("number_signs_by_number", "number_key"),
    Index("number_signs_by_news", "ledger", "stirred", "number_key"),
    Index("number_signs_by_time", "latest_at"),
    sqlite_with_rowid=False,
)

signs_read = Table(
    "signs_read",  # up to which news of signs the records of an account were looked at
    metadata,
    Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True),
    Column("mark", BigInteger, nullable=False),
)
