"""Questions that a provider has taken as an order and answers later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make room for the order's own name: no question was one before."""
    op.add_column(
        "lookup_questions",
        sa.Column("order_ref", sa.String(length=200).with_variant(sa.Text(), "postgresql"), nullable=True),
    )
