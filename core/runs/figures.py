"""What a sync needs at least, and what it costs to carry its plan out."""

from __future__ import annotations

from .run import SyncJob
from .summary import Summary


def count_fewest_calls(job: SyncJob, summary: Summary) -> None:
    """Say in the summary how many calls could have read and written the same records."""
    read, written = summary.total("read"), summary.total("written")
    reading = job.crm.fewest_calls(read, 0, full=summary.full)
    writing = job.crm.fewest_calls(read, written, full=summary.full) - reading
    summary.fewest_api_calls = reading if summary.dry_run else reading + writing
    summary.write_calls_planned = writing if summary.dry_run else 0


def find_costs(job: SyncJob, summary: Summary) -> dict[str, int]:
    """Return what it costs to carry out what a dry run has planned."""
    written = summary.total("written")
    return {
        "records": written,
        "phones_rewritten": summary.total("phones_rewritten"),
        "api_calls": job.crm.fewest_calls(written, written, full=False),
        "lookups": summary.planned.lookups,
        "records_waiting_for_lookups": summary.total("deferred"),
    }
