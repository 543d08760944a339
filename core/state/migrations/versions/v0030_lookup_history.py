"""The history of what live lookups have told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make room for it: before, the newest answer of each provider alone was kept."""
    op.create_table(
        "lookup_history",
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("observed_at", sa.DateTime(), nullable=False),
        sa.Column("realm", sa.String(length=200).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("run_id", sa.String(length=40).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number_key", "observed_at", "realm"),
        sqlite_with_rowid=False,
    )
