"""Who may call the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make room for tokens: there are none before."""
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("role", sa.String(length=20).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("author", sa.String(length=200).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("hash"),
        sqlite_with_rowid=False,
    )
