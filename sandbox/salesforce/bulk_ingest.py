"""`/jobs/ingest`: updates from a CSV file, done in batches after the upload, with three lists of results.

The operation `hardDelete` is not there. Rules and limits: salesforce.md, section 2.3; shapes of results as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from .bulk_jobs import abort, bad_job, bad_state, read_format
from .bulk_load import IngestJob
from .errors import ApiError
from .multipart import read_parts
from .rows import payload
from .state import OrgState
from .wire import Answer, Call

MULTIPART_CHARACTERS = 100_000
_TWICE = (
    "Found multipe contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job "
    "and make sure you only do 'PUT' once on a given Job."
)  # spelled as in a report of the service (salesforce.stackexchange.com/questions/231917)


def create(org: OrgState, call: Call) -> Answer:
    """Answer POST `/jobs/ingest`; as multipart it may bring the data, and then the job starts at once."""
    parts = read_parts(call)
    body = payload(parts.job if parts else call.document)
    job = _job(org, call, body)
    if parts:
        if len(parts.content) > MULTIPART_CHARACTERS:
            raise bad_job(f"The data of a multipart request cannot exceed {MULTIPART_CHARACTERS} characters")
        job.receive(parts.content)
        job.begin()
    org.jobs.add(job)
    return Answer(200, _shown(job))


OPERATIONS = ("insert", "update", "upsert", "delete")


def _job(org: OrgState, call: Call, body: Mapping[str, object]) -> IngestJob:
    operation, key = str(body.get("operation")), str(body.get("externalIdFieldName") or "")
    if operation not in OPERATIONS:
        raise bad_job(f"operation must be one of {', '.join(OPERATIONS)}: {body.get('operation')}")

    name = org.object_named(str(body.get("object")))
    if name is None or org.table(name).spec.plain or org.table(name).spec.fixed:
        raise ApiError(400, "INVALIDENTITY", f"Entity '{body.get('object')}' is not supported by the Bulk API.")

    field = org.access(name).visible.get(key.lower())
    if operation == "upsert" and (field is None or not (field.external or field.type == "id")):
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : Field name provided, {key} is not an External ID for {name}")

    return IngestJob(
        org=org,
        id=next(org.jobs.ids),
        object_name=name,
        operation=operation,
        key=field.name if field and operation == "upsert" else "Id",
        version=call.version,
        owner=org.user_id,
        created=org.clock.now(),
        form=read_format(body),
        state="Open",
        assigns=bool(body.get("assignmentRuleId")),
    )


def _shown(job: IngestJob) -> dict[str, object]:
    if job.state != "Open":
        return job.base()
    return {**job.base(), "contentUrl": f"services/data/{job.version}/jobs/ingest/{job.id}/batches"}


def read_all(org: OrgState, call: Call) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer GET `/jobs/ingest` with every ingest job."""
    jobs = org.jobs.every(IngestJob)
    return Answer(200, {"done": True, "records": [_shown(job) for job in jobs], "nextRecordsUrl": None})


def read(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer GET of a job with its state and counts."""
    now = org.clock.now()
    job = org.jobs.find(IngestJob, job_id, now)
    return Answer(200, {**_shown(job), **job.info(now)})


def upload(org: OrgState, call: Call, job_id: str) -> Answer:
    """Answer PUT of the data, once and while the job is open; `second_upload` decides what happens at another."""
    job = org.jobs.find(IngestJob, job_id, org.clock.now())
    if job.state != "Open":
        raise bad_state(f"Data can be uploaded to an Open Job only. Current state: {job.state}")
    if job.uploads and org.second_upload == "upload":
        raise bad_job(f"Found multiple contents for job: <{job.id}>")
    if len(call.raw) > org.upload_mb * 1_000_000:
        text = f"The data exceed the maximum file size of {org.upload_mb} MB"
        raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE", text)
    job.receive(call.raw)
    return Answer(201)


def change(org: OrgState, call: Call, job_id: str) -> Answer:
    """Answer PATCH of a job: the state UploadComplete queues it, Aborted ends it."""
    now = org.clock.now()
    job = org.jobs.find(IngestJob, job_id, now)
    state = payload(call.document).get("state")

    if state == "UploadComplete":
        if job.state != "Open":
            raise bad_state(f"Closing already {job.state} Job not allowed")
        if job.uploads > 1:
            raise bad_job(_TWICE.format(job.id))
        job.begin()
    elif state == "Aborted":
        abort(job, now)
    else:
        raise bad_job("state must be UploadComplete or Aborted")

    return Answer(200, _shown(job))


def remove(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer DELETE of a job."""
    org.jobs.remove(org.jobs.find(IngestJob, job_id, org.clock.now()))
    return Answer(204)


def written(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer `successfulResults`."""
    sheet = _ended(org, job_id).written
    return _csv(b"sf__Id,sf__Created\n" if sheet is None else sheet.read())


def refused(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer `failedResults`."""
    sheet = _ended(org, job_id).refused
    return _csv(b"sf__Id,sf__Error\n" if sheet is None else sheet.read())


def unprocessed(org: OrgState, call: Call, job_id: str) -> Answer:  # noqa: ARG001  # handlers share one signature
    """Answer `unprocessedrecords`: the rows that the job did not reach, as they were uploaded."""
    job = _ended(org, job_id)
    if job.upload is None:
        return _csv(b"")
    head, rest = [job.upload.columns], job.upload.after(job.done)
    lines = (line.encode() for rows in (head, rest) for line in job.form.lines(rows, quoted=False))
    return _csv(b"".join(lines))


def _ended(org: OrgState, job_id: str) -> IngestJob:
    job = org.jobs.find(IngestJob, job_id, org.clock.now())
    if job.state in ("Open", "UploadComplete", "InProgress"):
        raise bad_state(f"Results are there once the Job has ended. Current state: {job.state}")
    return job


def _csv(raw: bytes) -> Answer:
    return Answer(200, raw, {"Content-Type": "text/csv"})
