"""Records that somebody told us to look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make room for them: there are none before."""
    op.create_table(
        "wakes",
        sa.Column("account", sa.String(length=128).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("object", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("record_id", sa.String(length=40).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("mark", sa.String(length=32).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "object", "record_id"),
    )
