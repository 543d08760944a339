"""What a faults file can say about Salesforce alone: its section of settings, and kinds of faults of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..fault_kinds import EditFault, Fault, RecordFault, Share
from ..faults import ServiceSettings


class SalesforceSettings(ServiceSettings):
    """Salesforce: quotas, page size and jobs. What is left out stays as the sandbox has it."""

    page_size: int | None = Field(None, ge=1, le=2_000)
    api_limit: int | None = Field(None, ge=0, description="Calls a day.")
    api_usage: int | None = Field(None, ge=0, description="Calls that are used already.")
    app_limit: tuple[str, int] | None = Field(
        None, description="Name and limit of the app: adds the second form of Sforce-Limit-Info."
    )
    job_seconds: float | None = Field(None, ge=0, le=86_400, description="How long a Bulk job takes.")
    job_batch_rows: int | None = Field(None, ge=1, le=10_000, description="Rows of an internal batch.")
    upload_mb: int | None = Field(None, ge=1, le=150, description="Largest file of an ingest job.")
    second_upload: Literal["close", "upload"] | None = Field(
        None, description="What is refused of an ingest job whose data came twice."
    )
    daily_query_jobs: int | None = Field(None, ge=0, description="Query jobs in 24 hours.")
    daily_query_kb: int | None = Field(None, ge=0, description="Stored results of query jobs in 24 hours.")
    daily_batches: int | None = Field(None, ge=0, description="Batches of ingest jobs in 24 hours.")


class LockRows(Fault):
    """UNABLE_TO_LOCK_ROW on some rows, for rows with an account by the account (the parent is what is locked)."""

    kind: Literal["lock_rows"]
    fraction: Share = 1.0
    tries: int = Field(1, ge=1, description="The row passes after so many refusals.")


class ConvertLeads(Fault):
    """Leads are converted to contacts just before the request is handled."""

    kind: Literal["convert_leads"]
    count: int = Field(1, ge=1)
    ids: tuple[str, ...] = ()
    among: Literal["all", "request"] = "all"


class TouchRows(RecordFault):
    """A background process of the platform moves SystemModstamp and nothing else."""

    kind: Literal["touch_rows"]


class LateCommit(EditFault):
    """A long transaction: its edits are stamped with its start and become visible later.

    While it runs, latestDateCovered is held back to its start.
    """

    kind: Literal["late_commit"]
    started_s_ago: float = Field(120, ge=0)
    requests: int = Field(1, ge=1, description="Commit when so many further requests have come in.")


class DropCursors(Fault):
    """The service forgets its open cursors: the next page asked for gives INVALID_QUERY_LOCATOR."""

    kind: Literal["drop_cursors"]


class DropJobs(Fault):
    """The service forgets its Bulk jobs, with their results: 404 NOT_FOUND from then on."""

    kind: Literal["drop_jobs"]


class FailJobs(Fault):
    """The Bulk job that the request starts ends as Failed.

    An ingest job has written its first batches then, and the rest is unprocessed; a query job has no results.
    """

    kind: Literal["fail_jobs"]
    done: Share = Field(0.5, description="Share of the batches that is worked off before, rounded down.")
    message: str = "InternalServerError : A batch could not be processed after 20 retries"


class ShortPages(Fault):
    """Queries answer with pages of fewer than 2,000 rows, of another size for each query."""

    kind: Literal["short_pages"]
    smallest: int = Field(1, ge=1)
    largest: int = Field(1999, ge=1)


class ExpireTokens(Fault):
    """Every open session ends: 401 until the client signs in again."""

    kind: Literal["expire_tokens"]


ORG_FAULTS = (
    LockRows,
    ConvertLeads,
    TouchRows,
    LateCommit,
    DropCursors,
    DropJobs,
    FailJobs,
    ShortPages,
    ExpireTokens,
)
"""The kinds of faults that only a Salesforce org has."""
