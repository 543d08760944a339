"""PostgreSQL keeps texts of any length, as SQLite does whatever the column says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_BOUND = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type = 'character varying' AND table_name <> 'alembic_version'
    ORDER BY table_name, column_name
"""


def upgrade() -> None:
    """Take the lengths away; no row is written again for that."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for table, column in connection.execute(sa.text(_BOUND)).all():
        op.alter_column(table, column, type_=sa.Text())
