"""The table of what workflows asked for: the executions of their actions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from .column_types import UtcDateTime, Words, metadata

executions = Table(
    "executions",  # executions of workflow actions, and what became of them
    metadata,
    Column("id", Integer, primary_key=True),
    Column("org_id", Integer, ForeignKey("orgs.id"), nullable=False),
    Column("callback_id", Words(200), nullable=False),  # the other side's id: it repeats what it asked
    Column("state", String(12), nullable=False),  # see executions.ExecutionState
    Column("number_key", LargeBinary(16)),  # None: no number can be read
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # until when the other side waits; None: it was answered at once
    Column("retry_at", UtcDateTime),  # not before that, for it could not be done; None: now
    Column("ended_at", UtcDateTime),
    Column("called_at", UtcDateTime),  # when the latest call of completion began that has it
    Column("attempts", Integer, nullable=False, server_default="0"),  # those calls
    Column("said", Text, nullable=False, server_default=""),  # why it was refused, numbers masked
    Column("payload", LargeBinary, nullable=False),  # what was asked while it waits, the answer once there is one
    UniqueConstraint("org_id", "callback_id"),
    Index("executions_by_state", "org_id", "state", "id"),
    Index("executions_by_number", "number_key"),
)
