"""``ringfence schedule``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from ringfence.core.config.schedule import name_duration
from ringfence.core.errors import UsageError

from ..operations.schedule import SCHEDULE_FILE, LoadedSchedule, ScheduleEntry, load_schedule
from ..worker.scheduling import Shift, run_schedule
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired
from .termination import JOBS_GRACE_S, termination
from .unattended import read_command_line


def schedule(
    context: typer.Context,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="The schedule, ./schedule.yaml unless told.")
    ] = SCHEDULE_FILE,
    list_: Annotated[
        bool, typer.Option("--list", help="Show what starts when, and start nothing. Needs no state store.")
    ] = False,
    work: Annotated[
        bool | None,
        typer.Option(
            "--work/--no-work",
            help="Whether this process carries the jobs out too; unless told, without PostgreSQL.",
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", metavar="N", help="How many jobs at once, if so.")] = 1,
    health_file: Annotated[
        Path | None,
        typer.Option(
            "--health-file", metavar="FILE", help="Touched every few seconds while the schedule runs, gone afterwards."
        ),
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Start syncs and other commands at their times, as a schedule file says.

    Any number of them may run on one PostgreSQL: each start happens once. There `ringfence worker` carries it out;
    where the state is a file, this process does so itself.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if concurrency < 1:
        raise UsageError(f"--concurrency {concurrency} would do nothing.", "Give 1 or more.")
    group = cast("TyperGroup", context.find_root().command)
    loaded = load_schedule(wiring, file, lambda text: read_command_line(group, text))

    if list_:
        _show_next(loaded, wiring.clock.now())
        return DONE

    with termination.after_the_batch(JOBS_GRACE_S):
        outcome = run_schedule(
            wiring,
            loaded,
            Shift(
                work=work,
                concurrency=concurrency,
                health_file=health_file,
                must_end=lambda: termination.asked,
                forward=output.pass_on,
                began=lambda queues: _say_begin(loaded, queues),
            ),
        )
    output.document(outcome.as_dict())
    output.say(f"ticks: {outcome.started:,} started, {outcome.left_out:,} left out")
    return DONE


def _say_begin(loaded: LoadedSchedule, queues: Sequence[str]) -> None:
    where = f"here (queues {', '.join(queues)})" if queues else "by workers"
    count = len(loaded.entries)
    what = "1 job is started at its times" if count == 1 else f"{count:,} jobs are started at their times"
    output.note(f"{what} and carried out {where}; SIGTERM ends it.")


def _show_next(loaded: LoadedSchedule, now: datetime) -> None:
    zone = ZoneInfo(loaded.timezone)
    document = [_to_json(entry, zone, now) for entry in loaded.entries]
    output.document({"timezone": loaded.timezone, "jobs": document})

    rows = []
    for entry, told in zip(loaded.entries, document, strict=True):
        head = [entry.job.name, entry.job.run, _name_rhythm(entry)]
        for tick in told["next"]:
            rows.append([*head, tick["local"].replace("T", " "), tick["utc"].replace("T", " ")])
            head = ["", "", ""]
    output.table("", ["job", "runs", "when", f"next, {loaded.timezone}", "UTC"], rows, whole=1)


def _to_json(entry: ScheduleEntry, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    job = entry.job
    return {
        "name": job.name,
        "run": job.run,
        "queues": list(entry.queues),
        "cron": job.cron,
        "every_s": int(job.every.total_seconds()) if job.every else None,
        "window": str(job.window) if job.window else None,
        "jitter_s": int(job.jitter.total_seconds()),
        "overlap": job.overlap.value,
        "missed": job.missed.value,
        "next": [
            {
                "local": tick.due_at.astimezone(zone).isoformat(timespec="seconds"),
                "utc": _name_utc(tick.due_at),
                "starts_at": _name_utc(tick.starts_at),
            }
            for tick in entry.next_ticks(now)
        ],
    }


def _name_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _name_rhythm(entry: ScheduleEntry) -> str:
    job = entry.job
    rhythm = job.cron or (f"every {name_duration(job.every)}" if job.every else "")
    return f"{rhythm}, within {job.window}" if job.window else rhythm
