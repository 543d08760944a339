"""How far the journals that CRMs keep of their changes have been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Make room for it: none was read before."""
    op.create_table(
        "journal_places",
        sa.Column("account", sa.String(length=128).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
