"""Notices that CRMs have sent us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Make room for them: there are none before."""
    op.create_table(
        "notices",
        sa.Column("account", sa.String(length=128).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("heard_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("notices_by_age", "notices", ["heard_at"])
