"""Numbers that were erased, and what was destroyed when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for it; what earlier purges destroyed stands in the history alone."""
    op.create_table(
        "erased_numbers",
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("national_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("erased_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destructions",
        sa.Column("id", _text(40), nullable=False),
        sa.Column("action", _text(20), nullable=False),
        sa.Column("author", _text(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("up_to", sa.DateTime(), nullable=True),
        sa.Column("destroyed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
