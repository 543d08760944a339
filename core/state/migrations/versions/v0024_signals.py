"""Signals that were heard, the evidence in them, and questions to people that are about no record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for them: there are none before. Every question so far is about a record of an account."""
    op.create_table(
        "heard_signals",
        sa.Column("vendor", _text(40), nullable=False),
        sa.Column("id_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("heard_at", sa.DateTime(), nullable=False),
        sa.Column("timeless", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("vendor", "id_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger", _text(100), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("source", _text(40), nullable=False),
        sa.Column("outcome", _text(20)),
        sa.Column("word", _text(20)),
        sa.Column("code", _text(80), nullable=False),
        sa.Column("channel", _text(10), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("heard_at", sa.DateTime(), nullable=False),
        sa.Column("account", _text(100)),
        sa.Column("object", _text(100)),
        sa.Column("record_id", _text(40)),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("evidence_by_number", "evidence", ["ledger", "number_key", "occurred_at"])
    op.create_index("evidence_by_time", "evidence", ["occurred_at"])
    with op.batch_alter_table("review_items") as batch:
        batch.alter_column("org_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("ledger", _text(100)))
    op.create_index("review_items_by_number", "review_items", ["number_key"])
