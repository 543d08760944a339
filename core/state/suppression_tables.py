"""The tables of the suppression ledger beside those of the CRMs' own flags."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from .column_types import UtcDateTime, Words, metadata

blocks = Table(
    "blocks",  # what people and signals put on a suppression ledger; rows are added, and never changed
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ledger", String(100), nullable=False),  # empty: the one that accounts share
    Column("number_key", LargeBinary(16), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("source", String(20), nullable=False),
    Column("origin", String(200), nullable=False, server_default=""),
    Column("author", Words(200), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("account", String(100)),  # with object and record_id: the record that wrong_person is about
    Column("object", String(100)),
    Column("record_id", String(40)),
    Column("lifts", Integer),  # the id of the row that this one ends; None: it blocks
    Column("payload", LargeBinary, nullable=False),  # number, reason and evidence
    Index("blocks_by_number", "ledger", "number_key"),
    Index("blocks_by_lifted", "lifts"),
)

covered_elsewhere = Table(
    "covered_elsewhere",  # numbers of an account's records that something outside its CRM covers, or has covered
    metadata,
    Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True, autoincrement=False),
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("source", String(10), primary_key=True),  # see reach.Source
    Column("channel", String(10), primary_key=True),
    Column("ended", Boolean, nullable=False),  # nothing of this source covers it any longer
    Column("propagated", Boolean, nullable=False),  # whether it has reached every holder of the number
    sqlite_with_rowid=False,
)

consents = Table(
    "consents",  # the records that give consent; of others there is no row
    metadata,
    Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True, autoincrement=False),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("purposes", Text, nullable=False),  # JSON: a list; empty: it was given for all
    Column("given_at", UtcDateTime),  # None: the record does not say since when
    Column("field", String(100), nullable=False),  # the field of the record that tells it
    sqlite_with_rowid=False,
)

lists_taken_in = Table(
    "lists_taken_in",  # how far an account has taken in the changes of the lists on its ledger
    metadata,
    Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True, autoincrement=False),
    Column("ledger", String(100), nullable=False),
    Column("position", Integer, nullable=False),  # see listings.Listings.position
)
