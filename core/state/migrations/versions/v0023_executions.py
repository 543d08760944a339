"""Executions of workflow actions that were accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Make room for them: there are none before."""
    op.create_table(
        "executions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("callback_id", _text(200), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16)),
        sa.Column("accepted_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime()),
        sa.Column("retry_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("called_at", sa.DateTime()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("org_id", "callback_id"),
    )
    op.create_index("executions_by_state", "executions", ["org_id", "state", "id"])
    op.create_index("executions_by_number", "executions", ["number_key"])
