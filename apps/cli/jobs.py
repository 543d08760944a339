"""``ringfence jobs``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import Job, JobState

from ..operations.jobs import cancel_job, find_job, list_jobs, retry_job
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired

jobs = typer.Typer(
    help="Durable work that waits, runs or has failed; `ringfence worker` does it.", no_args_is_help=True
)

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, as `jobs list` shows it.")]

LONGEST_ERROR = 60
"""Characters of an error in the list; `jobs show` has all of it."""


@jobs.command("list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="S", help="Only jobs that are waiting, running, done, failed or cancelled."),
    ] = None,
    most: Annotated[int, typer.Option("--limit", metavar="N", help="How many of the latest jobs.")] = 100,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List the latest jobs, newest first, one a line."""
    wiring = begin_wired(json=json, verbose=verbose)
    if most < 1:
        raise UsageError(f"--limit {most} would list no job.", "Give 1 or more.")
    found = list_jobs(wiring, state or [], most)

    output.document({"jobs": [job_as_json(job) for job in found]})
    if not found:
        output.say("No job.")
    columns = ["id", "queued (UTC)", "what", "queue", "state", "attempts", "error"]
    output.table("", columns, [_row(job) for job in found], right=(0, 5), whole=len(columns) - 1)
    return DONE


@jobs.command("show")
def show(job_id: JobId, verbose: Verbose = False, json: Json = False) -> int:
    """Show a job: where it stands, how far it is, and what its latest attempt ended with."""
    wiring = begin_wired(json=json, verbose=verbose)
    _show(find_job(wiring, job_id))
    return DONE


@jobs.command("retry")
def retry(job_id: JobId, verbose: Verbose = False, json: Json = False) -> int:
    """Let a job that has failed or was cancelled wait again, to be done from now on."""
    wiring = begin_wired(json=json, verbose=verbose)
    _show(retry_job(wiring, job_id))
    return DONE


@jobs.command("cancel")
def cancel(job_id: JobId, verbose: Verbose = False, json: Json = False) -> int:
    """Cancel a job that waits. One that runs ends what it has begun and is cancelled then, within seconds."""
    wiring = begin_wired(json=json, verbose=verbose)
    job = cancel_job(wiring, job_id)
    _show(job)
    if job.state is JobState.RUNNING:
        output.say("It was asked to end, and ends what it has begun.")
    return DONE


def job_as_json(job: Job) -> dict[str, Any]:
    """Return a job as JSON values."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "attempts": job.attempts,
        "queued_at": job.queued_at.isoformat(),
        "error": job.error or None,
        "queue": job.queue,
        "arguments": dict(job.arguments),
        "run_at": _iso(job.run_at),
        "started_at": _iso(job.started_at),
        "ended_at": _iso(job.ended_at),
        "progress": None if job.progress is None else dict(job.progress),
    }


def describe_job(job: Job) -> str:
    """Return what a job is for, in words."""
    argv = job.arguments.get("argv")
    if isinstance(argv, list):
        return " ".join(str(word) for word in argv)
    if "part" in job.arguments and "run_id" in job.arguments:
        return f"part {job.arguments['part']} of run {job.arguments['run_id']}"
    return job.kind


def _row(job: Job) -> list[str]:
    error = job.error if len(job.error) <= LONGEST_ERROR else f"{job.error[: LONGEST_ERROR - 1]}…"
    queued = f"{job.queued_at:%Y-%m-%d %H:%M}"
    return [job.id, queued, describe_job(job), job.queue, job.state.value, f"{job.attempts:,}", error]


def _show(job: Job) -> None:
    output.document(job_as_json(job))
    output.say(f"job {job.id}: {describe_job(job)}", style="bold")
    output.item(f"{job.state.value}, {_attempts(job)}", mark="state")
    output.item(f"{_time(job.queued_at)}, in the queue {job.queue}", mark="queued")
    if job.state is JobState.WAITING and job.run_at is not None:
        output.item(f"not before {_time(job.run_at)}", mark="next")
    if job.started_at is not None:
        output.item(_time(job.started_at), mark="began")
    if job.ended_at is not None:
        output.item(_time(job.ended_at), mark="ended")
    if job.error:
        output.item(job.error, mark="error", style="red" if job.state is JobState.FAILED else None)
    for name, value in (job.progress or {}).items():
        if str(value) not in job.error:
            output.item(f"{name.replace('_', ' ')}: {value}", mark="told")


def _attempts(job: Job) -> str:
    return "1 attempt" if job.attempts == 1 else f"{job.attempts:,} attempts"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
