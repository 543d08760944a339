"""The tables of registries: which lists were imported, and who is on them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from .column_types import UtcDateTime, Words, metadata

list_versions = Table(
    "list_versions",  # every import of a list; the one that counts is current, and those before it stay as history
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ledger", String(100), nullable=False),  # empty: the one that accounts share
    Column("name", String(100), nullable=False),
    Column("jurisdiction", String(2), nullable=False),  # ISO 3166
    Column("channel", String(10), nullable=False),
    Column("state", String(10), nullable=False),  # see listings.VersionState
    Column("position", Integer, unique=True),  # the order in which versions came to count; None: not yet
    Column("as_of", UtcDateTime, nullable=False),  # midnight at the begin of the register's own date
    Column("expires_at", UtcDateTime),  # None: never
    Column("sha256", String(64), nullable=False),  # of the file, in hex
    Column("numbers", Integer, nullable=False, server_default="0"),
    Column("bits", Integer, nullable=False, server_default="0"),  # of a key that name its page of the content
    Column("change_bits", Integer),  # the same of what changed; 0: all of the content; None: anything may have
    Column("codes", Text, nullable=False, server_default="[]"),  # JSON: how its numbers begin behind the plus
    Column("author", Words(200), nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
    Index("list_versions_by_name", "ledger", "name"),
)

list_imports = Table(
    "list_imports",  # who imports a list right now; two at once would be the end of one of them
    metadata,
    Column("ledger", String(100), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("version_id", Integer, nullable=False),
    Column("holder", Text, nullable=False),  # JSON: the process
    Column("renewed_at", UtcDateTime, nullable=False),
)

list_pages = Table(
    "list_pages",  # the keys of a version, sorted, some in each row; never changed
    metadata,
    Column("version_id", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),  # see listing_pages.Part
    Column("page", Integer, primary_key=True, autoincrement=False),  # the first bits of the keys in it
    Column("packed", LargeBinary, nullable=False),  # the first 8 bytes of each number key, one behind the other
    sqlite_with_rowid=False,
)

countries_met = Table(
    "countries_met",  # of which countries the numbers of an account's records are, as far as its runs have met them
    metadata,
    Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True, autoincrement=False),
    Column("country", String(3), primary_key=True),  # ISO 3166, or 001 for a calling code of none
)
