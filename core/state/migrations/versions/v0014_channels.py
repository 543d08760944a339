"""Which channel an opt-out flag is about, and several opt-out fields for an object.

What is on record is about every way of contact, and stays so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_FLAG_COLUMNS = ("org_id", "number_key", "object", "record_id")
_FLAG_REST = ("state", "propagated", "first_seen_run_id", "last_seen_run_id")
_FIELD_COLUMNS = ("org_id", "object", "field", "true_values")


def upgrade() -> None:
    """Give each flag a channel, and let an object have flags in several fields."""
    if op.get_bind().dialect.name == "postgresql":
        _alter()
    else:
        _rebuild_flags()
        _rebuild_fields()


def _alter() -> None:
    op.add_column("opt_out_flags", sa.Column("channel", sa.Text(), nullable=False, server_default="all"))
    for table, columns in (
        ("opt_out_flags", [*_FLAG_COLUMNS, "channel"]),
        ("opt_out_fields", ["org_id", "object", "field"]),
    ):
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, columns)


def _rebuild_flags() -> None:
    # The key of a table without row ids is the table, so that a copy of it in the same order is the quickest way.
    op.create_table(
        "flags_by_channel",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=10), server_default="all", nullable=False),
        sa.Column("state", sa.String(length=10), server_default="unsettled", nullable=False),
        sa.Column("propagated", sa.Boolean(), nullable=False),
        sa.Column("first_seen_run_id", sa.String(length=40)),
        sa.Column("last_seen_run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint(*_FLAG_COLUMNS, "channel"),
        sqlite_with_rowid=False,
    )
    _replace("opt_out_flags", "flags_by_channel", (*_FLAG_COLUMNS, *_FLAG_REST), _FLAG_COLUMNS)
    op.create_index("opt_out_flags_by_record", "opt_out_flags", ["org_id", "object", "record_id"], unique=False)


def _rebuild_fields() -> None:
    op.create_table(
        "fields_of_objects",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=100), nullable=False),
        sa.Column("true_values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "object", "field"),
    )
    _replace("opt_out_fields", "fields_of_objects", _FIELD_COLUMNS, _FIELD_COLUMNS[:3])


def _replace(old: str, new: str, names: tuple[str, ...], order: tuple[str, ...]) -> None:
    """Copy the rows of a table into another, which then takes its name."""
    source, target = (sa.table(name, *map(sa.column, names)) for name in (old, new))
    rows = sa.select(*(source.c[name] for name in names)).order_by(*(source.c[name] for name in order))
    op.execute(sa.insert(target).from_select(list(names), rows))
    op.drop_table(old)
    op.rename_table(new, old)
