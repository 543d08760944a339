"""`/jobs/query`: a query as a job, its results as CSV in pages (docs/vendors/salesforce.md, section 2.2)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import datetime

from .bulk_extract import Extract, QueryJob
from .bulk_jobs import abort, bad_job, read_format
from .errors import ApiError
from .query import world_of
from .rows import payload
from .soql.parser import parse_query
from .soql.run import run_query
from .state import OrgState
from .wire import Answer, Call

DEFAULT_PAGE, LARGEST_PAGE = 50_000, 250_000
_COMPOUND = frozenset({"mailingaddress", "otheraddress", "billingaddress", "shippingaddress", "address"})
_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'")
_PARTS_OF_QUERY = {"TYPEOF": "TYPEOF", "GROUP": "GROUP BY", "HAVING": "HAVING"}


def create(org: OrgState, call: Call) -> Answer:
    """Answer POST `/jobs/query`."""
    body = payload(call.document)
    operation, text = body.get("operation"), body.get("query")
    if operation not in ("query", "queryAll") or not isinstance(text, str):
        raise bad_job("operation must be query or queryAll, and query must be given")

    form = read_format(body)
    _refuse_unfit(text)
    now = org.clock.now()
    _take_quota(org, now)
    found = run_query(text, world_of(org), with_deleted=operation == "queryAll")
    job_id = next(org.jobs.ids)
    job = QueryJob(
        id=job_id,
        object_name=found.object_name,
        operation=str(operation),
        version=call.version,
        owner=org.user_id,
        created=now,
        form=form,
        stored_kb=org.jobs.query_kb,
        extract=Extract(found, form, None if _is_ordered(text) else job_id),
    )
    org.jobs.add(job)
    job.start(org, now)

    return Answer(200, job.base())


def read_all(org: OrgState, call: Call) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer GET `/jobs/query` with every query job."""
    return Answer(
        200, {"done": True, "records": [job.base() for job in org.jobs.every(QueryJob)], "nextRecordsUrl": None}
    )


def read(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer GET of a job with its state and counts."""
    now = org.clock.now()
    return Answer(200, org.jobs.find(QueryJob, job_id, now).info(now))


def change(org: OrgState, call: Call, job_id: str) -> Answer:
    """Answer PATCH of a job, which can only abort it."""
    now = org.clock.now()
    job = org.jobs.find(QueryJob, job_id, now)
    if payload(call.document).get("state") != "Aborted":
        raise bad_job("state must be Aborted")
    abort(job, now)
    return Answer(200, job.base())


def remove(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer DELETE of a job."""
    org.jobs.remove(org.jobs.find(QueryJob, job_id, org.clock.now()))
    return Answer(204)


def results(org: OrgState, call: Call, job_id: str) -> Answer:
    """Answer `/jobs/query/{job}/results?locator=&maxRecords=`; a locator can be used again while the job exists."""
    job = org.jobs.find(QueryJob, job_id, org.clock.now())
    if call.version != job.version:
        text = f"The job was created with API version {job.version.removeprefix('v')}"
        raise ApiError(409, "API_VERSION_MISMATCH", text)
    if job.state != "JobComplete":
        state = {"UploadComplete": "UPLOAD_COMPLETE", "InProgress": "IN_PROGRESS"}.get(job.state, job.state.upper())
        text = "can only download query results of successfully completed bulk job with status: JOB_COMPLETE"
        raise ApiError(412, "JOB_NOT_COMPLETE", f"{text}. Current status: {state}")

    total = len(job.results)
    start = _offset(call.query.get("locator"), total)
    stop = min(total, start + _page_size(call))
    headers = {
        "Content-Type": "text/csv",
        "Sforce-Locator": "null" if stop == total else _locator(stop),
        "Sforce-NumberOfRecords": str(stop - start),
    }

    return Answer(200, job.results.read(start, stop), headers)


def _refuse_unfit(text: str) -> None:
    """Raise ApiError for SOQL that a query request supports and a query job does not."""
    words = _STRINGS.sub("''", text).upper().split()
    for word, name in _PARTS_OF_QUERY.items():
        if word in words:
            raise _unsupported(name)

    query = parse_query(text)
    if query.is_aggregate:
        raise _unsupported("Aggregate")
    if any(each.children is not None for each in query.selected):
        raise _unsupported("Nested query")
    if query.offset:
        raise _unsupported("OFFSET")
    if any(each.term.name.text.rpartition(".")[2].lower() in _COMPOUND for each in query.selected):
        raise ApiError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")


def _unsupported(name: str) -> ApiError:
    return ApiError(400, "API_ERROR", f"{name} not supported in Bulk Query")


def _take_quota(org: OrgState, now: datetime) -> None:
    used = org.jobs.query_jobs.used(now)
    if used >= org.daily_query_jobs:
        text = f"Max bulk v2 query jobs ({org.daily_query_jobs}) per 24 hrs has been reached"
        raise ApiError(400, "LIMIT_EXCEEDED", f"{text} ({used})")
    if org.jobs.query_kb.used(now) >= org.daily_query_kb:
        text = f"Max bulk v2 query result size stored ({org.daily_query_kb}) kb per 24 hrs has been exceeded"
        raise ApiError(400, "LIMIT_EXCEEDED", text)
    org.jobs.query_jobs.take(now)


def _is_ordered(text: str) -> bool:
    query = parse_query(text)
    return bool(query.order) or query.limit is not None


def _page_size(call: Call) -> int:
    wanted = call.query.get("maxRecords")
    if wanted is None:
        return DEFAULT_PAGE
    if not wanted.isdigit() or int(wanted) < 1:
        raise bad_job(f"maxRecords must be a positive number: {wanted}")
    return min(LARGEST_PAGE, int(wanted))


def _locator(offset: int) -> str:
    return b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None, total: int) -> int:
    if not locator:
        return 0
    try:
        offset = int(b64decode(locator + "=" * (-len(locator) % 4), validate=True))
    except ValueError:
        offset = -1
    if not 0 < offset < total or _locator(offset) != locator:
        raise ApiError(400, "INVALID_LOCATOR", f"invalid locator: {locator}")
    return offset
