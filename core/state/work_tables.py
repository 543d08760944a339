"""The tables by which several processes share their work: schedules, jobs, workers, limits. Part of the schema."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, false

from .column_types import UtcDateTime, metadata

ticks = Table(
    "ticks",  # what became of the moments at which a schedule starts something
    metadata,
    Column("name", String(160), primary_key=True),  # a job's, or one's and an account's
    Column("due_at", UtcDateTime, primary_key=True),
    Column("outcome", String(20), nullable=False),  # see ticks.TickOutcome
    Column("rule", String(16), nullable=False),  # a digest of when the job was to be started at all
    Column("job_id", String(40)),  # None: no job was put on record
    Column("ends_at", UtcDateTime),  # when the job is asked to end; None: never, or it was asked
)

jobs = Table(
    "jobs",  # durable work, where the state is a file; on PostgreSQL the engine has tables of its own
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(80), nullable=False),
    Column("arguments", Text, nullable=False),  # JSON
    Column("queue", String(128), nullable=False),
    Column("lock", String(200)),
    Column("queueing_lock", String(200)),
    Column("priority", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # see ports.jobs.JobState
    Column("attempts", Integer, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("run_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("worker_id", String(40)),  # who carries it out; None: nobody right now
    Column("cancel_asked", Boolean, nullable=False, server_default=false()),
    Index("jobs_by_state", "state", "queue"),
    sqlite_autoincrement=True,  # an id that people have seen is never another job's
)

job_notes = Table(
    "job_notes",  # what is known of a job beyond its queue, on both engines
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False, server_default=""),  # what the latest attempt ended with
    Column("progress", Text),  # JSON: what its handler said last
    Column("faults", Integer, nullable=False, server_default="0"),  # attempts that ended by a fault of the program
    Column("handed_back", Integer, nullable=False, server_default="0"),  # attempts that do not count
)

workers = Table(
    "workers",  # the processes that take jobs, on both engines
    metadata,
    Column("id", String(40), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40), nullable=False),  # as of a lease
    Column("queues", Text, nullable=False),  # JSON
    Column("renewed_at", UtcDateTime, nullable=False),
)

call_limits = Table(
    "call_limits",  # how the calls to an outside account stand: when they went out, which are under way, pauses
    metadata,
    Column("account", String(200), primary_key=True),  # the CRM or provider and its host; a digest stands for a secret
    Column("standing", Text, nullable=False),  # JSON, see call_standing.Standing
)

spending = Table(
    "spending",  # what lookups have cost a run, and all runs of a day
    metadata,
    Column("scope", String(80), primary_key=True),  # "run:..." or "day:2026-11-30:USD"
    Column("began_at", UtcDateTime, nullable=False),
    Column("lookups", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),  # in millionths of the currency
)
