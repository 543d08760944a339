"""Registries: the lists that were imported, and who is on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "list_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ledger", _text(100), nullable=False),
        sa.Column("name", _text(100), nullable=False),
        sa.Column("jurisdiction", _text(2), nullable=False),
        sa.Column("channel", _text(10), nullable=False),
        sa.Column("state", _text(10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("as_of", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("sha256", _text(64), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("bits", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("change_bits", sa.Integer(), nullable=True),
        sa.Column("codes", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("author", _text(200), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("position"),
    )
    op.create_index("list_versions_by_name", "list_versions", ["ledger", "name"])
    op.create_table(
        "list_imports",
        sa.Column("ledger", _text(100), nullable=False),
        sa.Column("name", _text(100), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "name"),
    )
    op.create_table(
        "list_pages",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "part", "page"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "countries_met",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("country", _text(3), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "country"),
    )
