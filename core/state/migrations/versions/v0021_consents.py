"""Which records give consent, to what and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make room for it: the next sync under a mapping that reads consent reads every record and takes it in."""
    op.create_table(
        "consents",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("object", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("record_id", sa.String(length=40).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime()),
        sa.Column("field", sa.String(length=100).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "object", "record_id"),
        sqlite_with_rowid=False,
    )
