"""An index of the words that people sent: a number may have a million messages, and few words among them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Index them."""
    words = sa.text("word IS NOT NULL AND outcome IS NULL")
    columns = ["ledger", "number_key", "source", "word", "occurred_at"]
    op.create_index("evidence_by_word", "evidence", columns, sqlite_where=words, postgresql_where=words)
