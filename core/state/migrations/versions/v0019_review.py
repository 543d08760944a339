"""What waits for a person's decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "review_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("reason", _text(20), nullable=False),
        sa.Column("object", _text(100), nullable=False),
        sa.Column("record_id", _text(40), nullable=False),
        sa.Column("channel", _text(10), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("raised_again", sa.Boolean(), nullable=False),
        sa.Column("resolution", _text(20)),
        sa.Column("resolved_at", sa.DateTime()),
        sa.Column("author", _text(200)),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("review_items_by_record", "review_items", ["org_id", "object", "record_id"])
