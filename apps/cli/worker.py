"""``ringfence worker``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import UsageError

from ..worker.working import work_off
from .exit_codes import DONE, INTERRUPTED
from .options import Json, Verbose
from .output import output
from .start import begin_wired
from .termination import JOBS_GRACE_S, termination


def worker(
    queues: Annotated[
        list[str] | None,
        typer.Option(
            "--queues", metavar="Q", help="Take jobs of these accounts alone; separated by commas, or given again."
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", metavar="N", help="How many jobs at once.")] = 1,
    health_file: Annotated[
        Path | None,
        typer.Option(
            "--health-file", metavar="FILE", help="Touched every few seconds while the worker turns, gone afterwards."
        ),
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take jobs and carry them out, until SIGTERM or Ctrl-C.

    A worker takes the jobs of the accounts that it has, and those about no account (`default`). Asked to end, it ends
    what it has begun or hands it back, within 30 seconds. A job whose worker was killed is taken by another.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if concurrency < 1:
        raise UsageError(f"--concurrency {concurrency} would do nothing.", "Give 1 or more.")
    named = [name for each in queues or [] for name in each.split(",") if name.strip()]

    with termination.after_the_batch(JOBS_GRACE_S, after_interrupt=True):
        tally = work_off(
            wiring,
            [name.strip() for name in named],
            concurrency,
            health_file,
            must_end=lambda: termination.asked,
            forward=output.pass_on,
            began=_say_begin,
        )
    output.document({"jobs": tally.as_dict()})
    words = [f"{count:,} {name.replace('_', ' ')}" for name, count in tally.as_dict().items() if count]
    output.say(f"jobs: {', '.join(words) or 'none'}")
    return INTERRUPTED if termination.interrupted else DONE


def _say_begin(queues: Sequence[str]) -> None:
    output.note(f"Taking jobs of {', '.join(queues)}; SIGTERM or Ctrl-C ends it.")
