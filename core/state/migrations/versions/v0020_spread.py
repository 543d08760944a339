"""How far an account has taken in what covers its numbers from elsewhere on its ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make room for it: the next sync of each account takes in what there is."""
    op.create_table(
        "covered_elsewhere",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("source", sa.String(length=10).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("channel", sa.String(length=10).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("propagated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "number_key", "source", "channel"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lists_taken_in",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ledger", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id"),
    )
