"""Checks that somebody asked for and that are to be bought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make room for them: there are none before."""
    op.create_table(
        "asked_checks",
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number_key"),
    )
    op.create_index("asked_checks_by_time", "asked_checks", ["asked_at"])
