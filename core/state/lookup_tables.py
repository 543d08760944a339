"""The tables of what lookup providers and CRMs have said about numbers, and of what is asked of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, LargeBinary, String, Table

from .column_types import UtcDateTime, metadata


def _number_and_realm() -> list[Column[Any]]:
    return [
        Column("number_key", LargeBinary(16), primary_key=True),
        # Provider, host and account; or the org whose companions hold the verdict.
        Column("realm", String(200), primary_key=True),
        Column("run_id", String(40), nullable=False),
    ]


lookup_answers = Table(
    "lookup_answers",  # what is known about a number, the newest answer of each realm
    metadata,
    *_number_and_realm(),
    Column("kind", String(20), nullable=False),  # known or inconclusive; of a CRM's verdicts also lost
    Column("observed_at", UtcDateTime, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

lookup_failures = Table(
    "lookup_failures",  # what a provider could not answer in a run, for a passing reason
    metadata,
    *_number_and_realm(),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

lookup_questions = Table(
    "lookup_questions",  # what a provider was asked, from before the question goes out until its answer is kept
    metadata,
    *_number_and_realm(),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column(
        "order_ref", String(200)
    ),  # of a provider that has taken it and answers later; None: it was to answer at once
    sqlite_with_rowid=False,
)

lookup_history = Table(
    "lookup_history",  # what live lookups have told of lines, every word of it: by it doubtful numbers are found
    metadata,
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("observed_at", UtcDateTime, primary_key=True),
    Column("realm", String(200), primary_key=True),
    Column("run_id", String(40), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
