"""Whose flag it is: raised by somebody, or by ringfence; and the field that an object's flags were read from.

Until here every flag that was up covered its record's numbers, also one that ringfence had raised itself. Which those
are is found out from the journal by the next run (:mod:`ringfence.core.state.flag_origins`), because the journal is
encrypted. Until then they count as raised by somebody.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Give each flag a state that is still to be found out."""
    state = sa.Column("state", sa.String(length=10), server_default="unsettled", nullable=False)
    op.add_column("opt_out_flags", state)

    op.create_table(
        "opt_out_fields",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=100), nullable=False),
        sa.Column("true_values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "object"),
    )
