"""What a reviewer of a run needs: where its records are, what its fields are for, whether it is still at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Give orgs the address of their pages, and runs their process and the roles of their fields."""
    op.add_column("orgs", sa.Column("address", sa.String(length=300), server_default="", nullable=False))
    op.add_column("runs", sa.Column("process", sa.Text()))
    op.add_column("runs", sa.Column("roles", sa.Text()))
