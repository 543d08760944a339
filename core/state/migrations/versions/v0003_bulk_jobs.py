"""Bulk jobs: batches that are held back, and the job that carries them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what tells a batch that was never sent, and the reference of its job."""
    op.add_column("batches", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("batches", sa.Column("job", sa.String(length=200)))
