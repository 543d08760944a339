"""A table for each thing: merged records out of the flags, failures and open questions out of the answers.

Until here a row of ``flags`` whose object began with "merged " told of a record that was merged away, an empty
``run_id`` there said that an opt-out had reached everybody, a realm of ``facts`` with a suffix held failures or open
questions, and a cursor stood behind a digest of the mapped fields.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_STAMPED = re.compile("(?P<digest>[0-9a-f]{16}) (?P<cursor>.*)", re.DOTALL)
_MERGED = "merged "
_FAILED = "#failed"
_ASKED = "#asked"

_flags = sa.table(
    "flags",
    *(sa.column(name) for name in ("org_id", "number_key", "object", "record_id", "run_id", "seen_run_id")),
)
_facts = sa.table(
    "facts", *(sa.column(name) for name in ("number_key", "realm", "kind", "run_id", "observed_at", "payload"))
)


def upgrade() -> None:
    """Move every row to the table that says what it is, and give columns the names of what they hold."""
    _split_facts()
    _split_flags()
    _take_cursors_apart()
    op.execute("ALTER TABLE leases RENAME COLUMN born TO process_started")


def _split_facts() -> None:
    answers = _make_lookup_table(
        "lookup_answers", "observed_at", sa.Column("kind", sa.String(length=20), nullable=False)
    )
    failures = _make_lookup_table("lookup_failures", "failed_at")
    questions = _make_lookup_table("lookup_questions", "asked_at")

    same = [_facts.c.number_key, _facts.c.realm, _facts.c.run_id, _facts.c.observed_at, _facts.c.payload]
    failed, asked = _facts.c.realm.endswith(_FAILED), _facts.c.realm.endswith(_ASKED)
    _copy(
        answers,
        ["number_key", "realm", "run_id", "observed_at", "payload", "kind"],
        sa.select(*same, _facts.c.kind).where(sa.not_(failed), sa.not_(asked)),
    )
    for table, moment, suffix, those in (
        (failures, "failed_at", _FAILED, failed),
        (questions, "asked_at", _ASKED, asked),
    ):
        realm = sa.func.substr(_facts.c.realm, 1, sa.func.length(_facts.c.realm) - len(suffix))
        columns = [_facts.c.number_key, realm, _facts.c.run_id, _facts.c.observed_at, _facts.c.payload]
        _copy(table, ["number_key", "realm", "run_id", moment, "payload"], sa.select(*columns).where(those))

    op.drop_table("facts")


def _make_lookup_table(name: str, moment: str, *more: sa.Column[Any]) -> sa.Table:
    return op.create_table(
        name,
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("realm", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        *more,
        sa.Column(moment, sa.DateTime(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number_key", "realm"),
        sqlite_with_rowid=False,
    )


def _make_flag_table() -> sa.Table:
    table = op.create_table(
        "opt_out_flags",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.Column("propagated", sa.Boolean(), nullable=False),
        sa.Column("first_seen_run_id", sa.String(length=40)),
        sa.Column("last_seen_run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "number_key", "object", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("opt_out_flags_by_record", "opt_out_flags", ["org_id", "object", "record_id"], unique=False)
    return table


def _make_merged_table() -> sa.Table:
    return op.create_table(
        "merged_records",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("first_seen_run_id", sa.String(length=40)),
        sa.Column("last_seen_run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"]),
        sa.PrimaryKeyConstraint("org_id", "object", "record_id"),
    )


def _split_flags() -> None:
    opt_out_flags, merged_records = _make_flag_table(), _make_merged_table()
    merged = _flags.c.object.startswith(_MERGED)
    done = sa.case((_flags.c.run_id == "", sa.true()), else_=sa.false())
    runs = [done, sa.func.nullif(_flags.c.run_id, ""), _flags.c.seen_run_id]
    _copy(
        opt_out_flags,
        ["org_id", "number_key", "object", "record_id", "propagated", "first_seen_run_id", "last_seen_run_id"],
        sa.select(_flags.c.org_id, _flags.c.number_key, _flags.c.object, _flags.c.record_id, *runs).where(
            sa.not_(merged)
        ),
    )
    object_name = sa.func.substr(_flags.c.object, len(_MERGED) + 1)
    _copy(
        merged_records,
        ["org_id", "object", "record_id", "handed_over", "first_seen_run_id", "last_seen_run_id"],
        sa.select(_flags.c.org_id, object_name, _flags.c.record_id, *runs).where(merged),
    )

    op.drop_table("flags")


def _copy(table: sa.Table, columns: list[str], rows: sa.Select[Any]) -> None:
    op.execute(sa.insert(table).from_select(columns, rows))


def _take_cursors_apart() -> None:
    op.add_column("cursors", sa.Column("mapping_digest", sa.String(length=16)))
    cursors = sa.table("cursors", *(sa.column(name) for name in ("org_id", "object", "mapping_digest", "cursor")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(cursors.c.org_id, cursors.c.object, cursors.c.cursor)).all():
        if (parts := _STAMPED.fullmatch(row.cursor)) is None:
            continue
        connection.execute(
            sa.update(cursors)
            .where(cursors.c.org_id == row.org_id, cursors.c.object == row.object)
            .values(mapping_digest=parts["digest"], cursor=parts["cursor"])
        )
