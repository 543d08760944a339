"""`/limits`, the list of API versions and the list of resources."""

from __future__ import annotations

from .state import OrgState
from .wire import Answer, Call

OLDEST_VERSION, NEWEST_VERSION = 31, 68
_SEASONS = ("Spring", "Summer", "Winter")
_OTHER_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "DailyAsyncApexExecutions": 250_000,
    "DailyWorkflowEmails": 390,
    "DataStorageMB": 1_024,
    "FileStorageMB": 10_240,
    "HourlyTimeBasedWorkflow": 500,
    "SingleEmail": 15,
}


def limits(org: OrgState, call: Call) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer `/limits`: each limit and what is left of it; only API requests and Bulk jobs are really counted."""
    now, jobs = org.clock.now(), org.jobs
    body = {name: _left(most, 0) for name, most in _OTHER_LIMITS.items()}
    body["DailyApiRequests"] = _left(org.api_limit, org.api_usage)
    body["DailyBulkApiBatches"] = _left(org.daily_batches, jobs.batches.used(now))
    body["DailyBulkV2QueryJobs"] = _left(org.daily_query_jobs, jobs.query_jobs.used(now))
    stored = org.daily_query_kb // 1024, -(-jobs.query_kb.used(now) // 1024)
    body["DailyBulkV2QueryFileStorageMB"] = _left(*stored)
    return Answer(200, dict(sorted(body.items())))


def record_count(org: OrgState, call: Call) -> Answer:
    """Answer `/limits/recordCount?sObjects=`: about how many rows the objects have, deleted ones left out."""
    wanted = {name.strip().lower() for name in call.query.get("sObjects", "").split(",") if name.strip()}
    tables = [(name, table) for name, table in sorted(org.tables.items()) if not wanted or name.lower() in wanted]
    counts = [(name, sum(1 for row in table.scan() if row["IsDeleted"] is not True)) for name, table in tables]
    return Answer(200, {"sObjects": [{"count": count, "name": name} for name, count in counts if count or wanted]})


def _left(most: int, used: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, most - used)}


def usage_header(org: OrgState) -> str:
    """Return the value of `Sforce-Limit-Info`; the per-app part appears only where an app limit is set."""
    text = f"api-usage={org.api_usage}/{org.api_limit}"
    if org.app_limit:
        name, most = org.app_limit
        text += f"; per-app-api-usage={org.api_usage}/{most}(appName={name})"
    return text


def versions() -> Answer:
    """Answer `/services/data`, which needs no token."""
    body = []
    for number in range(OLDEST_VERSION, NEWEST_VERSION + 1):
        # v31.0 was Summer '14; there are three releases a year, and Winter carries the number of the next year.
        year, season = divmod(number - 30, 3)
        label = f"{_SEASONS[season]} '{14 + year + (1 if season == 2 else 0)}"
        body.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return Answer(200, body)


def resources(org: OrgState, call: Call) -> Answer:
    """Answer `/services/data/vXX.0`: the resources of that version, and the address of the user who asks."""
    names = ("composite", "jobs", "limits", "query", "queryAll", "sobjects", "tooling")
    return Answer(200, {"identity": org.identity, **{name: call.url(f"/{name}") for name in names}})
