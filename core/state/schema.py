"""The tables of the state store. Migrations create them; a test compares the two.

No table holds a number in the clear: ``number_key`` is a keyed hash, ``payload`` columns are encrypted.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, false

from .asked_tables import asked_checks
from .audit_tables import audit
from .caller_tables import tokens
from .column_types import UtcDateTime, Words, metadata
from .erasure_tables import destructions, erased_numbers
from .execution_tables import executions
from .listing_tables import countries_met, list_imports, list_pages, list_versions
from .lookup_tables import lookup_answers, lookup_failures, lookup_history, lookup_questions
from .notice_tables import journal_places, notices
from .review_tables import review_items
from .signal_tables import evidence, heard_signals, number_signs, signs_read
from .suppression_tables import blocks, consents, covered_elsewhere, lists_taken_in
from .wake_tables import wakes
from .work_tables import call_limits, job_notes, jobs, spending, ticks, workers

__all__ = [
    "ADDRESS_LENGTH",
    "NAME_LENGTH",
    "REHEARSED",
    "UtcDateTime",
    "Words",
    "asked_checks",
    "audit",
    "batches",
    "blocks",
    "call_limits",
    "consents",
    "countries_met",
    "covered_elsewhere",
    "cursors",
    "destructions",
    "erased_numbers",
    "evidence",
    "executions",
    "heard_signals",
    "holdings",
    "job_notes",
    "jobs",
    "journal_places",
    "learnt",
    "leases",
    "list_imports",
    "list_pages",
    "list_versions",
    "lists_taken_in",
    "lookup_answers",
    "lookup_failures",
    "lookup_history",
    "lookup_questions",
    "merged_records",
    "metadata",
    "notices",
    "number_signs",
    "opt_out_fields",
    "opt_out_flags",
    "orgs",
    "pending",
    "review_items",
    "run_parts",
    "runs",
    "secrets",
    "signs_read",
    "spending",
    "ticks",
    "tokens",
    "wakes",
    "workers",
]

NAME_LENGTH, ADDRESS_LENGTH = 200, 300
"""Characters of an org's name and address that are kept."""

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),  # the hash key, wrapped by the encryption key
)

orgs = Table(
    "orgs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(120), nullable=False, unique=True),  # "salesforce:00D..."
    Column("name", Words(NAME_LENGTH), nullable=False),
    Column("production", Boolean, nullable=False),
    Column("writes_confirmed_at", UtcDateTime),
    Column("address", Words(ADDRESS_LENGTH), nullable=False, server_default=""),  # where people find its records
    Column("ledger", String(100), nullable=False, server_default=""),  # whose opt-outs it shares; empty: the common one
)


def _org() -> Column[int]:
    return Column("org_id", Integer, ForeignKey("orgs.id"), primary_key=True, autoincrement=False)


cursors = Table(
    "cursors",  # how far each object has been read
    metadata,
    _org(),
    Column("object", String(100), primary_key=True),
    Column("mapping_digest", String(16)),  # of the mapped fields that the cursor holds for; None: of any
    Column("cursor", Text, nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)

learnt = Table(
    "learnt",  # what connectors have found out about an org
    metadata,
    _org(),
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",  # the run that may sync an org right now
    metadata,
    _org(),
    Column("run_id", String(40), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40), nullable=False),  # in the system's own terms; empty where it does not say
    Column("taken_at", UtcDateTime, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("crm", String(40), nullable=False),
    Column("org_id", Integer, ForeignKey("orgs.id")),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(20), nullable=False),  # see run_history.RunOutcome
    Column("options", Text, nullable=False),  # JSON
    Column("summary", Text),  # JSON
    Column("error", Words),
    Column("process", Text),  # JSON: host, process id and start of the process; None: not on record
    Column("roles", Text),  # JSON: what each field of the mapping is for; None: not on record
)

batches = Table(
    "batches",
    metadata,
    Column("run_id", String(40), ForeignKey("runs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),  # None: no answer was recorded
    Column("payload", LargeBinary, nullable=False),  # the changes, old and new values
    Column("results", LargeBinary),  # the outcomes of those changes that were not plainly written
    Column("held", Boolean, nullable=False, server_default=false()),  # waits for a bulk job: nothing has been sent
    Column("job", String(200)),  # the CRM's reference of the bulk job that carries it
)


run_parts = Table(
    "run_parts",  # the reads of a run under way that several workers share
    metadata,
    Column("run_id", String(40), ForeignKey("runs.id"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("object", String(100), nullable=False),
    Column("phase", String(20), nullable=False),  # see run_parts.Phase
    Column("range", Text, nullable=False),  # the connector's own words
    Column("instructions", Text, nullable=False),  # JSON: what a worker has to know to do it as the run would
    Column("state", String(20), nullable=False),  # see run_parts.PartState
    Column("silent", Boolean, nullable=False, server_default=false()),  # enforces opt-outs and writes nothing else
    Column("position", Text),  # the connector's own words; None: at the start of the range
    Column("counts", Text),  # JSON: what is counted up to the position
    Column("holder", String(400)),  # JSON: the process that works at it; None: nobody does
    Column("renewed_at", UtcDateTime),
    Column("rows_done", Integer, nullable=False, server_default="0"),
    Column("rows_total", Integer),
    Column("error", Text),  # JSON: what ended it, or keeps it from all but silencing
)


opt_out_flags = Table(
    "opt_out_flags",  # which number the opt-out flag of which record is about, and whose flag it is
    metadata,
    _org(),
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("channel", String(10), primary_key=True, server_default="all"),  # of a derived one: of what raised it
    Column("state", String(10), nullable=False, server_default="unsettled"),  # see opt_out_flags.FlagState
    Column("propagated", Boolean, nullable=False),  # whether the opt-out has reached every holder of the number
    Column("first_seen_run_id", String(40)),  # None: not on record
    Column("last_seen_run_id", String(40), nullable=False),
    Index("opt_out_flags_by_record", "org_id", "object", "record_id"),
    sqlite_with_rowid=False,
)

merged_records = Table(
    "merged_records",  # records that were merged away, and whose flag nobody can lower any more
    metadata,
    _org(),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("handed_over", Boolean, nullable=False),  # whether the opt-out has passed to the holders of its numbers
    Column("first_seen_run_id", String(40)),  # None: not on record
    Column("last_seen_run_id", String(40), nullable=False),
)

opt_out_fields = Table(
    "opt_out_fields",  # the opt-out fields that the flags of an object were read from
    metadata,
    _org(),
    Column("object", String(100), primary_key=True),
    Column("field", String(100), primary_key=True),
    Column("true_values", Text, nullable=False),  # JSON
)

holdings = Table(
    "holdings",  # which record holds which number
    metadata,
    _org(),
    Column("number_key", LargeBinary(16), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Index("holdings_by_record", "org_id", "object", "record_id"),
    sqlite_with_rowid=False,
)

pending = Table(
    "pending",  # records that have to be looked at again whatever the feed says
    metadata,
    _org(),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("reason", String(20), nullable=False),  # permission, failed, deferred, conflict
    Column("code", Words(80), nullable=False),
    Column("message", Words, nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

REHEARSED = (
    consents,
    countries_met,
    cursors,
    opt_out_flags,
    opt_out_fields,
    covered_elsewhere,
    review_items,
    lists_taken_in,
    merged_records,
    holdings,
    pending,
    signs_read,
    lookup_answers,
    lookup_failures,
    lookup_history,
    lookup_questions,
)
"""The tables that a dry run changes; history and leases are real, because others must see them."""


def _unbound() -> None:
    """Let PostgreSQL keep texts of any length, as SQLite does whatever the column says.

    An id, a host or a field's name that is longer than any known one is no reason for a run to end.
    """
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, String) and column.type.length is not None:
                column.type = column.type.with_variant(Text(), "postgresql")


_unbound()
