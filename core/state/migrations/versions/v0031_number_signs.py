"""The latest signs of each number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make room for them: what was heard before counts once it is heard again."""
    op.create_table(
        "number_signs",
        sa.Column("ledger", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("latest_at", sa.DateTime(), nullable=False),
        sa.Column("stirred", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "number_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("number_signs_by_number", "number_signs", ["number_key"])
    op.create_index("number_signs_by_time", "number_signs", ["latest_at"])
    op.create_index("number_signs_by_news", "number_signs", ["ledger", "stirred", "number_key"])
    op.create_table(
        "signs_read",
        sa.Column("org_id", sa.Integer(), sa.ForeignKey("orgs.id"), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id"),
    )
