"""The suppression ledger: what people and signals put on it, and which ledger an account asks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for them; every account shares one ledger until its settings name another."""
    op.add_column("orgs", sa.Column("ledger", _text(100), nullable=False, server_default=""))
    op.create_table(
        "blocks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ledger", _text(100), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", _text(20), nullable=False),
        sa.Column("channel", _text(10), nullable=False),
        sa.Column("source", _text(20), nullable=False),
        sa.Column("origin", _text(200), nullable=False, server_default=""),
        sa.Column("author", _text(200), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("account", _text(100), nullable=True),
        sa.Column("object", _text(100), nullable=True),
        sa.Column("record_id", _text(40), nullable=True),
        sa.Column("lifts", sa.Integer(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("blocks_by_number", "blocks", ["ledger", "number_key"])
    op.create_index("blocks_by_lifted", "blocks", ["lifts"])
